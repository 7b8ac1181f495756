# SPDX-License-Identifier: Apache-2.0
"""Recordings: a report and its interval samples in one file."""

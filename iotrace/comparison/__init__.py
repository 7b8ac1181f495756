# SPDX-License-Identifier: Apache-2.0
"""The comparison of two reports: a pure function of two recordings."""

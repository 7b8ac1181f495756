# SPDX-License-Identifier: Apache-2.0
"""The timeline of a recording: single calls and state changes, and their export."""

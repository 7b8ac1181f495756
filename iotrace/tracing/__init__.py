# SPDX-License-Identifier: Apache-2.0
"""One trace from beginning to end: attach, follow, wait, report."""

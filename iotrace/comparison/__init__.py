# SPDX-License-Identifier: Apache-2.0
"""Two reports side by side: a pure function of two recordings."""

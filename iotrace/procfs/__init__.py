# SPDX-License-Identifier: Apache-2.0
"""What /proc knows: pure parsers of its files, and readers that take a pid and a root."""

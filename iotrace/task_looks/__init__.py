# SPDX-License-Identifier: Apache-2.0
"""The asyncio tasks of a running process for a while: ``watch`` looks, ``build`` makes the list."""

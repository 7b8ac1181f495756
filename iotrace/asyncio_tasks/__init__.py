# SPDX-License-Identifier: Apache-2.0
"""The asyncio tasks of a process, from its memory, while it goes on.

``bulk_memory`` reads many pieces in one call. ``layout`` and ``debug_section`` tell where which
version keeps what, by its own description (3.14 on) or by tables (3.9 to 3.13). ``objects`` and
``instances`` are Python's objects. ``listing`` finds the tasks, ``frames`` and ``await_chain`` what
they await, ``awaiters`` who awaits them, ``waited_for`` the descriptor or the timer at the end.
``look`` puts one look at all tasks together, and tells which have not moved since the one before.
``task`` is what it tells.
"""

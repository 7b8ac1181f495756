# SPDX-License-Identifier: Apache-2.0
"""What is wrong in a cell: a function, its marked line, and what must be said of it.

``where``: "any" program; "threads": where several requests share a process's memory; "async":
the function is a coroutine's. In programs of an event loop "any" is a blocking call in a coroutine.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """``head``, ``body``: of the module and of its function; the body's line that ends in "  #" is
    the faulty one (several: any of them). ``start``: shell that sets up what it talks to.
    ``words``: of these regular expressions one must be met. ``quick``: it does not block a loop."""

    name: str
    body: str
    words: tuple[str, ...]
    head: str = ""
    start: str = ""
    peer: str = ""
    where: str = "any"
    quick: bool = False

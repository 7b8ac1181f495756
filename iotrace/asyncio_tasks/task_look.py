# SPDX-License-Identifier: Apache-2.0
"""What one look at a process tells of its asyncio tasks."""

from __future__ import annotations

from dataclasses import dataclass

RUNNING, READY, SUSPENDED, CREATED, UNKNOWN = (
    "running", "ready", "suspended", "created", "unknown",
)  # fmt: skip
"""States of a task: its code runs; it waits for its turn in the loop; it awaits something; it has
not begun; its coroutine is none of Python's (Cython's) or could not be read."""


@dataclass(frozen=True, slots=True)
class Place:
    """A function in an await chain and the line that it has come to; None: nobody can tell."""

    function: str
    file: str
    line: int | None


@dataclass(frozen=True, slots=True)
class WaitedDescriptor:
    """``found_in``: the function in the await chain whose variable led to it."""

    fd: int
    found_in: str


@dataclass(frozen=True, slots=True)
class Timer:
    """Of asyncio.sleep(): when it was called and when it is over, in ns of CLOCK_MONOTONIC."""

    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Unmoved:
    """In one await since ``latest_ns`` at the latest, and not before ``earliest_ns`` (None: not
    known). CLOCK_MONOTONIC."""

    earliest_ns: int | None
    latest_ns: int


@dataclass(frozen=True, slots=True)
class Task:
    """An asyncio task as it was found.

    ``address`` tells it from the others. ``name`` may be cut off: ``name_length`` is that of all of
    it, in characters. ``loop``: the type of its event loop. ``thread``: the native id (as the
    process sees it) of the thread that made it; None: not known, or that has ended.
    ``chain``: the await chain, the task's own coroutine first. ``awaits``: the type of what the
    last of them awaits, "": nothing. ``awaits_tasks``, ``awaited_by``: addresses of tasks.
    ``certain``: it did not change while it was read; else what is told may never have been at one
    moment. ``unmoved``: it was found in this very await at every look since, None: only just now.
    """

    address: int
    name: str
    name_length: int
    state: str
    loop: str
    thread: int | None
    chain: tuple[Place, ...]
    awaits: str
    awaits_tasks: tuple[int, ...]
    awaited_by: tuple[int, ...]
    descriptor: WaitedDescriptor | None
    timer: Timer | None
    certain: bool
    unmoved: Unmoved | None


@dataclass(frozen=True, slots=True)
class Look:
    """All tasks of a process as of the last look, ``begin_ns`` to ``end_ns`` (CLOCK_MONOTONIC).

    ``looks``: how many there were, no more than ``gap_ns`` apart. ``incomplete``: why some may be
    missing, in words.
    """

    version: str
    begin_ns: int
    end_ns: int
    looks: int
    gap_ns: int
    tasks: tuple[Task, ...]
    incomplete: tuple[str, ...]

# SPDX-License-Identifier: Apache-2.0
"""The asyncio tasks of one process: what ``iotrace tasks`` prints, in the order of its JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.report.stacks import Frame

SCHEMA = "iotrace.tasks/1"
STATES = ("suspended", "ready", "running", "created", "unknown")
KNOWN_BY = ("looks", "timer")
DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Suspension:
    """Since how long a task is in the await that it is in, in ns.

    ``known_by``: "looks": it was in this await at every look for ``at_least_ns``, and elsewhere at
    the look before (``at_most_ns``; null: there was none). A task that went on and came back to the
    same await between two looks is not told from one that did not: see ``resolution_ns``.
    "timer": it is in asyncio.sleep(), whose timer tells exactly.
    """

    known_by: str
    at_least_ns: int
    at_most_ns: int | None


@dataclass(frozen=True, slots=True)
class TaskDescriptor:
    """The descriptor that a task waits on; ``local`` and ``peer`` are those of a socket, "": none.

    ``found_in``: the function in the await chain whose transport or socket it is.
    """

    fd: int
    kind: str
    local: str
    peer: str
    found_in: str


@dataclass(frozen=True, slots=True)
class AsyncioTask:
    """One task.

    ``id``: its number in this list. ``name`` has 200 characters at most, ``name_length`` is that of
    all of it. ``state``: "suspended" (it awaits something), "ready" (its turn in the loop comes),
    "running", "created" (it has not begun), "unknown" (its coroutine is not Python's own).
    ``loop``: the type of its event loop. ``thread``: of the loop, as the process itself numbers it;
    null: not known. ``suspended``: null where it is not, or changed while it was read.
    ``wakes_in_ns``: of asyncio.sleep(). ``awaits``: the type of what the innermost coroutine
    awaits, "": nothing. ``awaits_tasks``, ``awaited_by``: ids. ``chain``: the await chain, from the
    task's own coroutine on. ``certain``: false: it changed whenever it was read, so what is told
    may never have been at one moment.
    """

    id: int
    name: str
    name_length: int
    state: str
    loop: str
    thread: int | None
    suspended: Suspension | None
    wakes_in_ns: int | None
    awaits: str
    awaits_tasks: tuple[int, ...]
    awaited_by: tuple[int, ...]
    descriptor: TaskDescriptor | None
    chain: tuple[Frame, ...]
    certain: bool


@dataclass(frozen=True, slots=True)
class TaskList:
    """All tasks of a process, the longest suspended first, as of the last of ``looks`` looks.

    ``watched_ns``: from the first look to the last. ``resolution_ns``: the longest time between two
    looks. ``incomplete``: why tasks may be missing, in words.
    """

    schema: str
    iotrace: str
    pid: int
    process: str
    python: str
    looks: int
    watched_ns: int
    resolution_ns: int
    incomplete: tuple[str, ...]
    tasks: tuple[AsyncioTask, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """A task in the tree: below those that await it.

    ``depth`` 0: nobody awaits it. ``last``: for it and each task above, whether it is the last of
    its level. ``again``: it was told already, with what it awaits, below another task.
    ``left_out``: so many more of its level are not told.
    """

    task: AsyncioTask
    depth: int
    last: tuple[bool, ...]
    again: bool
    left_out: int


def tree(tasks: tuple[AsyncioTask, ...], top: int | None) -> Iterator[Branch]:
    """Every task below those that await it; ``top``: so many of a level, None: all.

    Tasks that await each other in a circle begin with the first of them. What would be deeper than
    ``DEEPEST`` begins anew at the first level.
    """
    by_id = {task.id: task for task in tasks}
    told: set[int] = set()
    roots = [task for task in tasks if not any(one in by_id for one in task.awaited_by)]
    yield from _level(roots, by_id, told, (), top)
    if top is None:
        for task in tasks:
            if task.id not in told:
                yield from _level([task], by_id, told, (), top)


def _level(
    tasks: list[AsyncioTask],
    by_id: dict[int, AsyncioTask],
    told: set[int],
    above: tuple[bool, ...],
    top: int | None,
) -> Iterator[Branch]:
    left = [(tasks, 0, above)]
    while left:
        level, place, above = left.pop()
        count = len(level) if top is None else min(top, len(level))
        if place >= count:
            continue
        task = level[place]
        is_last = place + 1 == count
        last = (*above, is_last)
        again = task.id in told
        told.add(task.id)
        yield Branch(task, len(above), last, again, len(level) - count if is_last else 0)
        left.append((level, place + 1, above))
        if not again and len(last) < DEEPEST:
            below = [by_id[one] for one in task.awaits_tasks if one in by_id]
            left.append((below, 0, last))

# SPDX-License-Identifier: Apache-2.0
"""Looks at the asyncio tasks of traced processes now and then: how many wait where."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from iotrace.asyncio_tasks.task_look import SUSPENDED, Place, Task
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.target_reader.reader import TargetReader
from iotrace.target_reader.tasks import look_at_tasks, read_tasks

PAUSE_NS = 400_000_000
_IDLE_PAUSE_NS = 2_000_000_000
"""Between looks at a process without a task: asyncio is imported, and no loop runs yet."""
_SHARE = 50
"""Of one CPU, no more than this part is spent looking,"""
_FIRST_LOOKS, _FIRST_SHARE = 8, 4
"""after the first looks: a short trace needs some."""
_AT_ONCE_NS = 20_000_000
"""The others wait for the next tick;"""
_FIRST_AT_ONCE_NS = 50_000_000
"""as long as some were not looked at at all: each of a server's workers is found once."""
_TRIES = 4
"""At a process that has no asyncio (yet), each after ten times as long."""
_MOST_PLACES = 1000

Where = tuple[str, tuple[Place, ...]]
"""The type of what is awaited, and the await chain, the task's own coroutine first."""


@dataclass(slots=True)
class WaitTotals:
    """Tasks at one place. ``seen``: the sum over all looks; ``tasks``: at the last look."""

    seen: int = 0
    tasks: int = 0
    longest_ns: int = 0


@dataclass(slots=True)
class ProcessTasks:
    """What the looks at one process have found; ``tasks``: of the last look, at ``last_ns``."""

    looks: int = 0
    tasks: int = 0
    first_ns: int = 0
    last_ns: int = 0
    places: dict[Where, WaitTotals] = field(default_factory=dict)
    next_ns: int = 0
    failures: int = 0


class TaskBook:
    """Processes without asyncio cost a try or two. ``poll`` costs nothing while no look is due."""

    def __init__(self, reader: TargetReader) -> None:
        self._reader = reader
        self._known: dict[int, ProcessTasks] = {}
        self._without_first = False

    def poll(self, alive: Iterable[int], now_ns: int) -> None:
        """Look at those that are due, as long as that takes no longer than ``_AT_ONCE_NS``: every
        other time at those with tasks first, for whose sake the many without have to wait."""
        self._without_first = not self._without_first
        due, new = [], False
        for pid in alive:
            known = self._known.setdefault(pid, ProcessTasks())
            if known.failures < _TRIES and now_ns >= known.next_ns:
                later = bool(known.tasks) is self._without_first
                due.append((later, known.next_ns, pid, known))
                new |= not known.looks and not known.failures
        until_ns = time.monotonic_ns() + (_FIRST_AT_ONCE_NS if new else _AT_ONCE_NS)
        for _, _, pid, known in sorted(due, key=lambda one: one[:3]):
            self._look(pid, known)
            if time.monotonic_ns() >= until_ns:
                break

    def forget(self, pids: Iterable[int]) -> None:
        """These have ended: their numbers may come again. What was found is told no more."""
        for pid in pids:
            self._known.pop(pid, None)

    def all(self) -> Mapping[int, ProcessTasks]:
        """What is known of processes that have asyncio."""
        found = {pid: one for pid, one in self._known.items() if one.looks}
        return MappingProxyType(found)

    def _look(self, pid: int, known: ProcessTasks) -> None:
        begin_ns, begin_cpu_ns = time.monotonic_ns(), self._reader.cpu_ns()
        try:
            look_at_tasks(self._reader, pid)
            look = read_tasks(self._reader, pid)
        except (NoSuchProcess, PermissionDenied, Unsupported):
            known.failures += 1
            known.next_ns = begin_ns + PAUSE_NS * (1 if known.looks else 10**known.failures)
            return
        end_ns = time.monotonic_ns()
        known.looks += 1
        known.first_ns, known.last_ns = known.first_ns or begin_ns, begin_ns
        pause_ns = PAUSE_NS if look.tasks else _IDLE_PAUSE_NS
        spent_ns = self._reader.cpu_ns() - begin_cpu_ns
        share = _FIRST_SHARE if known.looks < _FIRST_LOOKS else _SHARE
        if known.looks == 1:  # it has found its way, and will not need to again
            share = 0
        known.next_ns = end_ns + max(pause_ns, end_ns - begin_ns, share * spent_ns)
        known.tasks = len(look.tasks)
        known.failures = 0
        waiting = [one for one in look.tasks if one.state == SUSPENDED and one.chain]
        _add(known, waiting, look.begin_ns)


def _add(known: ProcessTasks, waiting: list[Task], begin_ns: int) -> None:
    counts = Counter((one.awaits, one.chain) for one in waiting)
    for totals in known.places.values():
        totals.tasks = 0
    for where, count in counts.items():
        totals = known.places.get(where) or WaitTotals()
        totals.seen += count
        totals.tasks = count
        if len(known.places) < _MOST_PLACES:
            known.places[where] = totals
    for one in waiting:
        held = known.places.get((one.awaits, one.chain))
        if held is not None and one.unmoved is not None:
            held.longest_ns = max(held.longest_ns, begin_ns - one.unmoved.latest_ns)

# SPDX-License-Identifier: Apache-2.0
"""Events that the kernel has kept from every copy of a probe, because each ran on that CPU already.

The kernel counts the runs that it skips of each copy by itself. Mostly another copy has made up for
them, so the counts of a whole trace say little: after an hour each copy has skipped some. There are
two ways to tell:

- An event that all have missed is in all counts at about the same moment. So they are read several
  times a second, and between two looks there were at most as many such events as the least that any
  copy has skipped.
- Of the probes of reads and writes, which run so often that each copy soon skips some between two
  looks, spare copies count for which events they made up (probes/preemption.c): what the first copy
  has skipped beyond those, all have missed. At most: a spare copy may be about to count.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping

from iotrace.engine.tracepoints import SPARES, spare_names

_TRIES = 5
_PAUSE_S = 0.002
"""Between them a thread that was preempted between two copies may go on."""


class SkippedRuns:
    """``read``: how many runs of a program were skipped so far, by its descriptor. ``made_up``: how
    many of the first copy's were made up for, by its name; those that count it."""

    def __init__(
        self, read: Callable[[int], int], made_up: Mapping[str, Callable[[], int]] | None = None
    ) -> None:
        self._read = read
        self._made_up = made_up or {}
        self._before: Mapping[str, int] = {}
        self._events: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._not_made_up_before: dict[str, int] = {}

    def begin(self, programs: Mapping[str, int]) -> None:
        """Nothing is traced yet: what was skipped so far concerns nobody."""
        self.glance(programs)
        self._events = Counter(dict.fromkeys(self._events, 0))
        for name in self._made_up.keys() & _copies(programs).keys():
            self._not_made_up_before[name] = self._not_made_up(name, programs, 0)

    def look(self, programs: Mapping[str, int]) -> Mapping[str, int]:
        """Events so far that were missed altogether, at most, by the name of the first copy.

        ``programs``: name -> descriptor of all that are loaded.
        """
        self.glance(programs)
        for name, before in self._not_made_up_before.items():
            told = self._told[name]
            if self._events[name] > told:
                missed = self._not_made_up(name, programs, before + told) - before
                self._told[name] = self._events[name] = min(self._events[name], missed)
        single = {
            name: self._read(fd)
            for name, fd in programs.items()
            if name not in self._events and name not in SPARES
        }
        return {**self._events, **single}

    def glance(self, programs: Mapping[str, int]) -> None:
        """Look at those that have copies: often enough that few events fall between two looks."""
        copied = _copies(programs)
        # Twice, and from the first of before to the second of now: then an event that happens
        # while they are read is whole between two looks, and perhaps counted twice.
        names = [copy for copies in copied.values() for copy in copies]
        first = {copy: self._read(programs[copy]) for copy in names}
        second = {copy: self._read(programs[copy]) for copy in names}
        for name, copies in copied.items():
            self._events[name] += min(second[one] - self._before.get(one, 0) for one in copies)
        self._before = first

    def _not_made_up(self, name: str, programs: Mapping[str, int], least: int) -> int:
        """What the first copy has skipped and no other has made up for: at most, and the least that
        was seen in several tries; one that finds ``least`` is enough."""
        found: list[int] = []
        while len(found) < _TRIES and least not in found:
            if found:
                time.sleep(_PAUSE_S)
            made_up = self._made_up[name]()  # first: then an event in between is none too few
            found.append(max(least, self._read(programs[name]) - made_up))
        return min(found)


def _copies(programs: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """The names of all copies of a program, by that of the first; of those that have any."""
    copies = {
        name: tuple(one for one in (name, *spare_names(name)) if one in programs)
        for name in programs
        if name not in SPARES
    }
    return {name: names for name, names in copies.items() if len(names) > 1}

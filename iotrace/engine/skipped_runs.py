# SPDX-License-Identifier: Apache-2.0
"""Events that the kernel has kept from every copy of a probe, because each ran on that CPU already.

The kernel counts the runs that it skips of each copy by itself. Mostly another copy has made up for
them, so the counts of a whole trace say little: after an hour each copy has skipped some. An event
that all have missed is in all counts at about the same moment. So they are read several times a
second, and between two looks there were at most as many such events as the least that any copy has
skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from iotrace.engine.tracepoints import SPARES, spare_names


class SkippedRuns:
    """``read``: how many runs of a program were skipped so far, by its descriptor."""

    def __init__(self, read: Callable[[int], int]) -> None:
        self._read = read
        self._before: Mapping[str, int] = {}
        self._events: Counter[str] = Counter()

    def look(self, programs: Mapping[str, int]) -> Mapping[str, int]:
        """Events so far that were missed altogether, at most, by the name of the first copy.

        ``programs``: name -> descriptor of all that are loaded.
        """
        self.glance(programs)
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


def _copies(programs: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """The names of all copies of a program, by that of the first; of those that have any."""
    copies = {
        name: tuple(one for one in (name, *spare_names(name)) if one in programs)
        for name in programs
        if name not in SPARES
    }
    return {name: names for name, names in copies.items() if len(names) > 1}

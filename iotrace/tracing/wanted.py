# SPDX-License-Identifier: Apache-2.0
"""The processes that a trace is wanted of: by pid, or by what is found when it begins and later."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iotrace.errors import IotraceError
from iotrace.target_reader.reader import TargetReader
from iotrace.tracing.target_check import check_target

if TYPE_CHECKING:
    from iotrace.discovery.selection import Finder
    from iotrace.discovery.selectors import Selector
    from iotrace.tracing.trace import Trace

_EVERY_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """``pids`` were named, others are found; ``follow``: those that match later join."""

    pids: tuple[int, ...] = ()
    selectors: tuple[Selector, ...] = ()
    follow: bool = False

    def resolve(self, reader: TargetReader) -> tuple[tuple[int, ...], Finder | None]:
        """The processes to begin with, and what finds more.

        Raises NoSuchProcess, UsageError: each with the next step.
        """
        for pid in self.pids:
            check_target(pid)
        if not self.selectors:
            return self.pids, None
        from iotrace.discovery.selection import Finder

        finder = Finder(self.selectors, reader)
        found = finder.find() if self.follow else finder.find_unambiguous()
        return tuple(dict.fromkeys((*self.pids, *sorted(found)))), finder


class Newcomers:
    """Lets processes that match join a trace while it goes on."""

    def __init__(self, finder: Finder, *, children: bool, every_ns: int = _EVERY_NS) -> None:
        """``children``: of those, too."""
        self._finder = finder
        self._children = children
        self._every_ns = every_ns
        self._next_ns = 0

    def join(self, now_ns: int, trace: Trace) -> None:
        """Look for them, if it is time, and trace those that are new."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + self._every_ns
        for pid in sorted(self._finder.find() - trace.processes_alive()):
            with contextlib.suppress(IotraceError):  # it has ended, or there is no room: counted
                trace.follow(pid, self._children)

# SPDX-License-Identifier: Apache-2.0
"""The timeline: single events of the traced threads, streamed while it is switched on."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.engine.constants import CALL_OTHER
from iotrace.engine.probes import Probes
from iotrace.vocabulary.events import EventKind

_EVENT = struct.Struct("<QqIIiHH")
"""struct event of probes/timeline.c."""
_MOST_KEPT = 1_000_000
"""Events, of some 80 bytes. More stay in the ring buffer: what that has no room for is counted."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``value`` as EventKind says.

    ``syscall``: the call that the thread is in ("other": one that is not listed), "" outside any.
    ``fd`` -1: none.
    """

    at_ns: int
    pid: int
    tid: int
    kind: EventKind
    syscall: str
    fd: int
    value: int


class TimelineReader:
    """Takes events out of the ring buffer; what did not fit was counted by the probes."""

    def __init__(self, probes: Probes) -> None:
        self._ring = probes.ring("timeline")
        self._names = probes.call_names
        self._kept: list[bytes] = []

    def keep(self) -> None:
        """Make room in the ring buffer where nobody can take events yet."""
        if len(self._kept) < _MOST_KEPT:
            self._kept += self._ring.records()

    def take(self) -> tuple[Event, ...]:
        """Those that have come since the last call; CPUs' events are merged by time."""
        events = [self._event(record) for record in self._records()]
        return tuple(sorted(events, key=lambda event: event.at_ns))

    def take_packed(self) -> bytes:
        """The same as they are kept in a recording: packed one after the other, not sorted."""
        return b"".join(record[: _EVENT.size] for record in self._records())

    def _records(self) -> Iterator[bytes]:
        kept, self._kept = self._kept, []
        yield from kept
        yield from self._ring.records()

    def close(self) -> None:
        """Unmap the ring buffer."""
        self._ring.close()

    def _event(self, record: bytes) -> Event:
        at_ns, value, pid, tid, fd, kind, number = _EVENT.unpack_from(record)
        syscall = self._names.get(number, "")
        if number == CALL_OTHER and kind in (EventKind.ENTER, EventKind.EXIT):
            syscall = "other"
        return Event(at_ns, pid, tid, EventKind(kind), syscall, fd, value)

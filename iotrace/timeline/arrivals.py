# SPDX-License-Identifier: Apache-2.0
"""Data that arrives on sockets, and the copies that take it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter

from iotrace.timeline.drawing import Instant
from iotrace.timeline.recorded_events import Opened, RawEvent, Timeline
from iotrace.vocabulary.events import EventKind

_READY, _COPY = int(EventKind.READY), int(EventKind.COPY)
_MOST_WAITING = 65_536
"""Sockets with data that nobody has read yet; of more, the first ones get no arrow."""


def arrows(timeline: Timeline) -> bytearray:
    """By the number of an arrival: 1 where a copy takes its data."""
    sockets = Arrivals(timeline.opened)
    events = timeline.events() if timeline.opened else ()
    found = bytearray(1)
    for event in events:
        if event.kind == _READY:
            sockets.arrived(event)
            found.append(0)
        elif event.kind == _COPY and (flow := sockets.taken(event)):
            found[flow] = 1
    return found


class Arrivals:
    """Pairs an arrival with the copy that takes its data: the first one on that socket after it.

    ``arrows``: by the number of an arrival (from 1): 1 where it is known to have one.
    """

    def __init__(self, opened: Iterable[Opened], arrows: bytes | bytearray = b"") -> None:
        self._arrows = arrows
        self._inodes: dict[tuple[int, int], list[Opened]] = defaultdict(list)
        for one in sorted(opened, key=attrgetter("at_ns")):
            self._inodes[one.pid, one.fd].append(one)
        self._arrivals = 0
        self._waiting: dict[int, int] = {}

    def arrived(self, event: RawEvent) -> Instant:
        self._arrivals += 1
        # Of several arrivals before a read, the first one is what the read is late for.
        self._waiting.setdefault(event.value, self._arrivals)
        if len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        known = self._arrivals < len(self._arrows) and self._arrows[self._arrivals]
        flow = self._arrivals if known else None
        return Instant(f"data ready, socket {event.value}", event.at_ns, flow)

    def taken(self, event: RawEvent) -> int | None:
        """The number of the arrival whose data this copy takes."""
        inode = self._inode(event)
        return self._waiting.pop(inode, None) if inode is not None else None

    def _inode(self, event: RawEvent) -> int | None:
        """What the descriptor was when it was last looked at (or first, after that)."""
        known = self._inodes.get((event.pid, event.fd))
        if not known:
            return None
        before = bisect_right(known, event.at_ns, key=attrgetter("at_ns"))
        return known[max(0, before - 1)].inode

# SPDX-License-Identifier: Apache-2.0
"""Exchanges and calls upstream as slices: the events of their parts put together.

An event tells how long the part was that ends with it. A connection is a descriptor of a process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from iotrace.timeline.drawing import NOTHING, Drawn, Exchange, Place, Slice
from iotrace.timeline.recorded_events import RawEvent
from iotrace.vocabulary.calls import WRITES
from iotrace.vocabulary.events import EventKind

EXIT, QUEUED, READ, ANSWERED, THEIRS, PICKUP = map(
    int,
    (
        EventKind.EXIT,
        EventKind.EXCHANGE_QUEUED,
        EventKind.EXCHANGE_READ,
        EventKind.EXCHANGE_ANSWERED,
        EventKind.UPSTREAM_ANSWERED,
        EventKind.UPSTREAM_READ,
    ),
)
_MOST_OPEN = 65_536
"""Connections with an exchange under way; of more, the first ones end where the next begins."""

_Connection = tuple[int, int]
"""Process and descriptor."""


@dataclass(slots=True)
class _Open:
    """An exchange that goes on. ``answered_ns``: its first write, None: not yet."""

    port: int
    tid: int
    arrived_ns: int
    accepted_ns: int
    read_ns: int
    answered_ns: int | None = None
    last_ns: int = 0


@dataclass(slots=True)
class _Upstream:
    """Which of the two parts of a call have been told, and when they ended."""

    at_ns: int
    parts: dict[int, int] = field(default_factory=dict)


class Exchanges:
    """Takes events in the order of time, gives exchanges as they end."""

    def __init__(self, calls: Mapping[int, str]) -> None:
        """``calls``: names by number."""
        self._writes = {number for number, name in calls.items() if name in WRITES}
        self._closes = {number for number, name in calls.items() if name == "close"}
        self._queued: dict[int, int] = {}
        self._open: dict[_Connection, _Open] = {}
        self._called: dict[_Connection, _Upstream] = {}
        self._drawn_ns: dict[tuple[int, str], int] = {}

    def under_way(self, event: RawEvent) -> bool:
        """Whether there is an exchange on the descriptor of this call."""
        return (event.pid, event.fd) in self._open

    def add(self, event: RawEvent) -> Iterator[Drawn]:
        """What has ended with this event."""
        kind, key = event.kind, (event.pid, event.fd)
        if kind == EXIT:
            if key in self._open:
                yield from self._call_on(key, event)
        elif kind == QUEUED:
            self._queued[event.at_ns] = event.value
            if len(self._queued) > _MOST_OPEN:
                del self._queued[next(iter(self._queued))]
        elif kind == READ:
            yield from self._read(key, event)
        elif kind == ANSWERED:
            self._answered(key, event)
        elif kind in (THEIRS, PICKUP):
            yield from self._upstream(key, event)

    def end(self, at_ns: int) -> Iterator[Drawn]:
        """What had not ended before the end of it all."""
        for key in list(self._open):
            yield from self._finish(key, at_ns)

    def _call_on(self, key: _Connection, event: RawEvent) -> Iterator[Drawn]:
        one = self._open[key]
        if event.number in self._closes:
            yield from self._finish(key, event.at_ns)
        elif one.answered_ns is not None and event.number in self._writes and event.value > 0:
            one.last_ns = event.at_ns

    def _read(self, key: _Connection, event: RawEvent) -> Iterator[Drawn]:
        accepted_ns = _before(event.at_ns, event.value)
        arrived_ns = _before(accepted_ns, self._queued.pop(accepted_ns, 0))
        yield from self._finish(key, arrived_ns)
        self._open[key] = _Open(event.number, event.tid, arrived_ns, accepted_ns, event.at_ns)
        if len(self._open) > _MOST_OPEN:
            yield from self._finish(next(iter(self._open)), event.at_ns)

    def _answered(self, key: _Connection, event: RawEvent) -> None:
        one = self._open.get(key)
        if one is None or one.answered_ns is not None:  # the event of its read was dropped
            read_ns = _before(event.at_ns, event.value)
            one = self._open[key] = _Open(event.number, event.tid, read_ns, read_ns, read_ns)
        one.answered_ns = min(one.read_ns + max(0, event.value), event.at_ns)
        one.last_ns, one.tid = event.at_ns, event.tid

    def _finish(self, key: _Connection, at_ns: int) -> Iterator[Drawn]:
        """The exchange on this connection is over, ``at_ns`` at the latest."""
        one = self._open.pop(key, None)
        if one is None:
            return
        name, details = "request", {"thread": one.tid}
        bounds = [
            ("queue", one.arrived_ns, one.accepted_ns),
            ("pickup", one.accepted_ns, one.read_ns),
        ]
        if one.answered_ns is None:
            name = "request without an answer"
            bounds.append(("service", one.read_ns, max(at_ns, one.read_ns)))
        else:
            details["latency_ns"] = one.answered_ns - one.arrived_ns
            bounds.append(("service", one.read_ns, one.answered_ns))
            bounds.append(("last byte", one.answered_ns, max(one.answered_ns, one.last_ns)))
        listener = f"requests :{one.port}" if one.port else "requests, unix socket"
        yield from self._draw(key, listener, name, bounds, details)

    def _upstream(self, key: _Connection, event: RawEvent) -> Iterator[Drawn]:
        one = self._called.get(key)
        if one is None or one.at_ns != event.at_ns:
            one = self._called[key] = _Upstream(event.at_ns)
            if len(self._called) > _MOST_OPEN:
                del self._called[next(iter(self._called))]
        one.parts[event.kind] = event.value
        if len(one.parts) < 2:
            return
        del self._called[key]
        arrived_ns = _before(event.at_ns, one.parts[PICKUP])
        asked_ns = _before(arrived_ns, one.parts[THEIRS])
        bounds = [("theirs", asked_ns, arrived_ns), ("pickup", arrived_ns, event.at_ns)]
        peer = f"upstream :{event.number}" if event.number else "upstream, unix socket"
        yield from self._draw(key, peer, "call upstream", bounds, {"thread": event.tid})

    def _draw(
        self,
        key: _Connection,
        group: str,
        name: str,
        bounds: list[tuple[str, int, int]],
        details: Mapping[str, int | str],
    ) -> Iterator[Drawn]:
        """Nothing before the end of what was drawn last there: a request may have come earlier."""
        pid, fd = key
        track = f"{group}, fd {fd}"
        least = self._drawn_ns.get((pid, track), 0)
        parts = tuple(
            Slice(part, max(from_ns, least), to_ns, NOTHING)
            for part, from_ns, to_ns in bounds
            if to_ns > max(from_ns, least)
        )
        if parts:
            self._drawn_ns[pid, track] = parts[-1].to_ns
            whole = Slice(name, parts[0].from_ns, parts[-1].to_ns, details)
            yield Drawn(Place.EXCHANGES, pid, 0, Exchange(group, track, whole, parts))


def _before(at_ns: int, length_ns: int) -> int:
    """When what ends there began; a recording may hold any number."""
    return max(0, at_ns - max(0, length_ns))

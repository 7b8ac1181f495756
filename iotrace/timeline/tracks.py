# SPDX-License-Identifier: Apache-2.0
"""Events as tracks: each thread's calls, each thread's states, data that arrives, who reads it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from iotrace.timeline.recorded_events import BadTimeline, Opened, RawEvent, Timeline
from iotrace.vocabulary.events import EventKind

ENTER, EXIT, SLEEP, WAKE, RUN, PREEMPT, COPY, READY, SIGNAL, *_ = map(int, EventKind)

_MOST_THREADS = 50_000
_MOST_WAITING = 65_536
"""Sockets with data that nobody has read yet; of more, the first ones get no arrow."""

_NOTHING: Mapping[str, int | str] = MappingProxyType({})


class Slice(NamedTuple):
    """A stretch of time on a track. ``flow``: the number of an arrival that it takes the data of.

    ``details``: shown on a click.
    """

    name: str
    from_ns: int
    to_ns: int
    details: Mapping[str, int | str] = _NOTHING
    flow: int | None = None


class Instant(NamedTuple):
    """A moment. ``flow``: the number of the arrow that begins there."""

    name: str
    at_ns: int
    flow: int | None = None


class Place(Enum):
    """Where something is drawn: on a thread's tracks, or on the one of data that arrives."""

    CALLS = "calls"
    STATES = "states"
    SIGNALS = "signals"
    ARRIVALS = "arrivals"


class Drawn(NamedTuple):
    """One thing to draw; ``pid`` and ``tid`` are 0 for what is of no thread."""

    place: Place
    pid: int
    tid: int
    what: Slice | Instant


@dataclass(frozen=True, slots=True)
class ThreadTrack:
    """One thread. Calls do not overlap; states follow each other without a gap."""

    pid: int
    tid: int
    calls: tuple[Slice, ...]
    states: tuple[Slice, ...]
    signals: tuple[Instant, ...]


@dataclass(frozen=True, slots=True)
class Tracks:
    """Everything that is drawn. ``arrivals``: data that became ready, whoever was waiting."""

    threads: tuple[ThreadTrack, ...]
    arrivals: tuple[Instant, ...]


def drawn(timeline: Timeline) -> Iterator[Drawn]:
    """All that there is to draw, each as soon as its end is known; nothing of it is kept.

    So things are in the order of time on each track, and in no order between tracks.
    """
    threads: dict[tuple[int, int], _Thread] = {}
    sockets = _Sockets(timeline.opened, _arrows(timeline))
    end_ns = 0
    for event in timeline.events():
        end_ns = event.at_ns
        if event.kind == READY:
            yield Drawn(Place.ARRIVALS, 0, 0, sockets.arrived(event))
        elif event.tid:
            flow = sockets.taken(event) if event.kind == COPY else None
            thread = threads.get((event.pid, event.tid))
            if thread is None:
                if len(threads) == _MOST_THREADS:
                    raise BadTimeline(
                        "this recording's timeline is too large to be drawn",
                        why=f"it holds events of more than {_MOST_THREADS:,} threads",
                        paste="iotrace report FILE   # without its timeline",
                    )
                thread = threads[event.pid, event.tid] = _Thread(timeline, event.pid, event.tid)
            yield from thread.add(event, flow)
    for thread in threads.values():
        yield from thread.end(end_ns)


def tracks_of(timeline: Timeline) -> Tracks:
    """The tracks of all threads, in the order of process and thread."""
    arrivals: list[Instant] = []
    threads: dict[tuple[int, int], dict[Place, list[Any]]] = {}
    for place, pid, tid, what in drawn(timeline):
        if place is Place.ARRIVALS:
            assert isinstance(what, Instant)
            arrivals.append(what)
        else:
            threads.setdefault((pid, tid), defaultdict(list))[place].append(what)
    return Tracks(
        tuple(
            ThreadTrack(
                pid,
                tid,
                *(tuple(rows[place]) for place in (Place.CALLS, Place.STATES, Place.SIGNALS)),
            )
            for (pid, tid), rows in sorted(threads.items())
        ),
        tuple(arrivals),
    )


def _arrows(timeline: Timeline) -> bytearray:
    """By the number of an arrival: 1 where a copy takes its data."""
    sockets = _Sockets(timeline.opened)
    events = timeline.events() if timeline.opened else ()
    found = bytearray(1)
    for event in events:
        if event.kind == READY:
            sockets.arrived(event)
            found.append(0)
        elif event.kind == COPY and (flow := sockets.taken(event)):
            found[flow] = 1
    return found


class _Sockets:
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


class _Thread:
    """Turns one thread's events into slices."""

    def __init__(self, timeline: Timeline, pid: int, tid: int) -> None:
        self._names = timeline.calls
        self._reasons = timeline.reasons
        self._pid = pid
        self._tid = tid
        self._entered: RawEvent | None = None
        self._state: Slice | None = None
        self._copy_preempted = False

    def add(self, event: RawEvent, flow: int | None) -> Iterator[Drawn]:
        """What has ended with this event."""
        at_ns, kind = event.at_ns, event.kind
        if kind == ENTER:
            if self._entered is not None:  # its return was dropped
                yield self._left(at_ns, "not seen")
            self._entered = event
            yield from self._go("kernel", at_ns)
        elif kind == EXIT:
            if self._entered is not None:
                yield self._left(at_ns, event.value)
            yield from self._go("user", at_ns)
        elif kind == SLEEP:
            reasons = self._reasons
            reason = reasons[event.value] if 0 <= event.value < len(reasons) else "other"
            yield from self._go(f"wait.{reason}", at_ns)
        elif kind in (WAKE, PREEMPT):
            state = self._state
            self._copy_preempted = kind == PREEMPT and state is not None and state.name == "copy"
            yield from self._go("runq", at_ns)
        elif kind == RUN:
            yield from self._go(self._resumed(), at_ns)
        elif kind == COPY:
            yield from self._go("copy", at_ns, flow)
        elif kind == SIGNAL:
            yield self._drawn(Place.SIGNALS, Instant(f"signal {event.value}", at_ns))

    def _resumed(self) -> str:
        """The state of a thread that is given a CPU: a copy that was preempted goes on."""
        state = self._state
        if self._copy_preempted and state is not None and state.name == "runq":
            return "copy"
        return "user" if self._entered is None else "kernel"

    def end(self, at_ns: int) -> Iterator[Drawn]:
        """What had not ended before the end of it all."""
        if self._entered is not None:
            yield self._left(at_ns, "not before the end")
        yield from self._go(None, at_ns)

    def _left(self, at_ns: int, returns: int | str) -> Drawn:
        entered = self._entered
        assert entered is not None
        self._entered = None
        details: dict[str, int | str] = {"fd": entered.fd} if entered.fd >= 0 else {}
        if entered.value:
            details["asked_bytes"] = entered.value
        details["returns"] = returns
        name = self._names.get(entered.number, "other")
        return self._drawn(Place.CALLS, Slice(name, entered.at_ns, at_ns, details))

    def _go(self, name: str | None, at_ns: int, flow: int | None = None) -> Iterator[Drawn]:
        state = self._state
        if state is not None:
            if state.name == name and flow is None:
                return
            # A slice of no length is nothing to see, unless an arrow ends there.
            if at_ns > state.from_ns or state.flow is not None:
                ended = Slice(state.name, state.from_ns, at_ns, _NOTHING, state.flow)
                yield self._drawn(Place.STATES, ended)
        self._state = None if name is None else Slice(name, at_ns, at_ns, _NOTHING, flow)

    def _drawn(self, place: Place, what: Slice | Instant) -> Drawn:
        return Drawn(place, self._pid, self._tid, what)

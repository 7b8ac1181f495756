# SPDX-License-Identifier: Apache-2.0
"""Events as tracks: each thread's calls and states, data that arrives, who reads it, exchanges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from iotrace.timeline.arrivals import Arrivals, arrows
from iotrace.timeline.drawing import NOTHING, Drawn, Exchange, Instant, Place, Slice
from iotrace.timeline.exchange_slices import Exchanges
from iotrace.timeline.recorded_events import BadTimeline, RawEvent, Timeline
from iotrace.vocabulary.events import EventKind

ENTER, EXIT, SLEEP, WAKE, RUN, PREEMPT, COPY, READY, SIGNAL, *_ = map(int, EventKind)
_LAST_OF_THREADS = int(EventKind.COMPLETE)
_MOST_THREADS = 50_000


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
    exchanges: tuple[Exchange, ...] = ()


def drawn(timeline: Timeline) -> Iterator[Drawn]:
    """All that there is to draw, each as soon as its end is known; nothing of it is kept.

    So things are in the order of time on each track, and in no order between tracks.
    """
    threads: dict[tuple[int, int], _Thread] = {}
    sockets = Arrivals(timeline.opened, arrows(timeline))
    exchanges = Exchanges(timeline.calls)
    end_ns = 0
    for event in timeline.events():
        end_ns = event.at_ns
        if event.kind == EXIT and exchanges.under_way(event):
            yield from exchanges.add(event)
        if event.kind == READY:
            yield Drawn(Place.ARRIVALS, 0, 0, sockets.arrived(event))
        elif event.kind > _LAST_OF_THREADS:
            yield from exchanges.add(event)
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
    yield from exchanges.end(end_ns)


def tracks_of(timeline: Timeline) -> Tracks:
    """The tracks of all threads, in the order of process and thread."""
    arrivals: list[Instant] = []
    exchanges: list[Exchange] = []
    threads: dict[tuple[int, int], dict[Place, list[Any]]] = {}
    for place, pid, tid, what in drawn(timeline):
        if place is Place.ARRIVALS:
            assert isinstance(what, Instant)
            arrivals.append(what)
        elif isinstance(what, Exchange):
            exchanges.append(what)
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
        tuple(exchanges),
    )


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
                ended = Slice(state.name, state.from_ns, at_ns, NOTHING, state.flow)
                yield self._drawn(Place.STATES, ended)
        self._state = None if name is None else Slice(name, at_ns, at_ns, NOTHING, flow)

    def _drawn(self, place: Place, what: Slice | Instant) -> Drawn:
        return Drawn(place, self._pid, self._tid, what)

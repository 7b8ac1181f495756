"""Events as tracks: each thread's calls, each thread's states, data that arrives, who reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from iotrace.report.model import WAIT_REASONS
from iotrace.timeline.model import Opened, RawEvent, Timeline

# EventKind of iotrace/engine/constants.py, which a reader of recordings need not import.
ENTER, EXIT, SLEEP, WAKE, RUN, PREEMPT, COPY, READY, SIGNAL = range(1, 10)


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of time on a track. ``flow``: the number of an arrival that it takes the data of.

    ``details``: shown on a click.
    """

    name: str
    from_ns: int
    to_ns: int
    details: Mapping[str, int | str] = field(default_factory=dict)
    flow: int | None = None


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment. ``flow``: the number of the arrow that begins there."""

    name: str
    at_ns: int
    flow: int | None = None


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


_Taking = tuple[RawEvent, "int | None"]
"""An event and, if it takes data, the number of the arrival."""


def tracks_of(timeline: Timeline) -> Tracks:
    """The tracks of all threads, in the order of process and thread."""
    by_thread: dict[tuple[int, int], list[_Taking]] = defaultdict(list)
    sockets = _Sockets(timeline.opened)
    end_ns = 0
    for event in timeline.events():
        end_ns = max(end_ns, event.at_ns)
        if event.kind == READY:
            sockets.arrived(event)
        elif event.tid:
            flow = sockets.taken(event) if event.kind == COPY else None
            by_thread[event.pid, event.tid].append((event, flow))
    threads = tuple(
        _Thread(timeline.calls, end_ns).track(pid, tid, events)
        for (pid, tid), events in sorted(by_thread.items())
    )
    return Tracks(threads, tuple(sockets.instants()))


class _Sockets:
    """Pairs an arrival with the copy that takes its data: the first one on that socket after it."""

    def __init__(self, opened: Iterable[Opened]) -> None:
        self._inodes: dict[tuple[int, int], list[Opened]] = defaultdict(list)
        for one in sorted(opened, key=lambda one: one.at_ns):
            self._inodes[one.pid, one.fd].append(one)
        self._arrivals: list[tuple[RawEvent, int | None]] = []
        self._waiting: dict[int, int] = {}

    def arrived(self, event: RawEvent) -> None:
        # Of several arrivals before a read, the first one is what the read is late for.
        self._waiting.setdefault(event.value, len(self._arrivals))
        self._arrivals.append((event, None))

    def taken(self, event: RawEvent) -> int | None:
        """The number of the arrival whose data this copy takes."""
        inode = self._inode(event)
        number = self._waiting.pop(inode, None) if inode is not None else None
        if number is None:
            return None
        self._arrivals[number] = self._arrivals[number][0], number + 1
        return number + 1

    def instants(self) -> Iterable[Instant]:
        return (
            Instant(f"data ready, socket {event.value}", event.at_ns, flow)
            for event, flow in self._arrivals
        )

    def _inode(self, event: RawEvent) -> int | None:
        """What the descriptor was when it was last looked at (or first, after that)."""
        known = self._inodes.get((event.pid, event.fd))
        if not known:
            return None
        before = [one for one in known if one.at_ns <= event.at_ns]
        return (before[-1] if before else known[0]).inode


class _Thread:
    """Turns one thread's events into slices."""

    def __init__(self, names: Mapping[int, str], end_ns: int) -> None:
        self._names = names
        self._end_ns = end_ns
        self._calls: list[Slice] = []
        self._states: list[Slice] = []
        self._signals: list[Instant] = []
        self._entered: RawEvent | None = None
        self._state: Slice | None = None

    def track(self, pid: int, tid: int, events: Iterable[_Taking]) -> ThreadTrack:
        for event, flow in events:
            self._add(event, flow)
        if self._entered is not None:
            self._leave(self._end_ns, {"returns": "not before the end"})
        self._go(None, self._end_ns)
        return ThreadTrack(pid, tid, tuple(self._calls), tuple(self._states), tuple(self._signals))

    def _add(self, event: RawEvent, flow: int | None) -> None:
        if event.kind == ENTER:
            if self._entered is not None:  # its return was dropped
                self._leave(event.at_ns, {"returns": "not seen"})
            self._entered = event
            self._go("kernel", event.at_ns)
        elif event.kind == EXIT:
            if self._entered is not None:
                self._leave(event.at_ns, {"returns": event.value})
            self._go("user", event.at_ns)
        elif event.kind == SLEEP:
            reason = WAIT_REASONS[event.value] if 0 <= event.value < len(WAIT_REASONS) else "other"
            self._go(f"wait.{reason}", event.at_ns)
        elif event.kind in (WAKE, PREEMPT):
            self._go("runq", event.at_ns)
        elif event.kind == RUN:
            self._go("user" if self._entered is None else "kernel", event.at_ns)
        elif event.kind == COPY:
            self._go("copy", event.at_ns, flow)
        elif event.kind == SIGNAL:
            self._signals.append(Instant(f"signal {event.value}", event.at_ns))

    def _leave(self, at_ns: int, details: Mapping[str, int | str]) -> None:
        entered = self._entered
        assert entered is not None
        known: dict[str, int | str] = {"fd": entered.fd} if entered.fd >= 0 else {}
        if entered.value:
            known["asked_bytes"] = entered.value
        name = self._names.get(entered.number, "other")
        self._calls.append(Slice(name, entered.at_ns, at_ns, {**known, **details}))
        self._entered = None

    def _go(self, name: str | None, at_ns: int, flow: int | None = None) -> None:
        state = self._state
        if state is not None:
            if state.name == name and flow is None:
                return
            # A slice of no length is nothing to see, unless an arrow ends there.
            if at_ns > state.from_ns or state.flow is not None:
                self._states.append(replace(state, to_ns=at_ns))
        self._state = None if name is None else Slice(name, at_ns, at_ns, flow=flow)

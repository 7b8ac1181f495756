"""A thread's events as what it did: system calls, and stretches of one activity each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from iotrace.snapshot.timeline import Event, EventKind


class Doing(Enum):
    """What a thread does for a while; the value is the word that the picture uses."""

    PROGRAM = "program"
    KERNEL = "kernel"
    COPY = "copy"
    WAIT = "wait"
    RUNQ = "runq"


@dataclass(frozen=True, slots=True)
class Span:
    """One system call. ``result`` None: it had not returned when the events ended.

    ``asked_bytes``: the size of the buffer that it was given, 0: not known.
    """

    syscall: str
    fd: int
    enter_ns: int
    exit_ns: int
    result: int | None
    asked_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a thread did one thing. ``call``: the system call it was in, or None."""

    from_ns: int
    to_ns: int
    doing: Doing
    call: Span | None

    @property
    def length_ns(self) -> int:
        """How long it took."""
        return self.to_ns - self.from_ns


@dataclass(frozen=True, slots=True)
class Strand:
    """One thread: its stretches follow each other without a gap."""

    pid: int
    tid: int
    stretches: tuple[Stretch, ...]
    calls: tuple[Span, ...]


def strands(events: Iterable[Event]) -> dict[int, Strand]:
    """The strand of each thread, by tid. Events are in the order of time."""
    by_tid: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.tid:
            by_tid[event.tid].append(event)
    return {tid: _Weaver(own).strand() for tid, own in by_tid.items()}


class _Weaver:
    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self._drafts: list[tuple[int, int, Doing, int | None]] = []
        self._calls: list[Span] = []
        self._since_ns = events[0].at_ns
        self._doing: Doing | None = None
        self._before_preempt = Doing.PROGRAM
        self._entered: Event | None = None

    def strand(self) -> Strand:
        for event in self._events:
            self._take(event)
        last_ns = self._events[-1].at_ns
        if self._entered is not None:
            self._close_call(self._entered, last_ns, None)
        return Strand(
            pid=self._events[0].pid,
            tid=self._events[0].tid,
            stretches=tuple(
                Stretch(a, b, doing, None if index is None else self._calls[index])
                for a, b, doing, index in self._drafts
            ),
            calls=tuple(self._calls),
        )

    def _take(self, event: Event) -> None:
        match event.kind:
            case EventKind.ENTER:
                self._turn(event.at_ns, Doing.KERNEL)
                self._entered = event
            case EventKind.EXIT:
                self._begun_before(event)
                self._turn(event.at_ns, Doing.PROGRAM)
                entered, self._entered = self._entered, None
                if entered is not None:
                    self._close_call(entered, event.at_ns, event.value)
            case EventKind.SLEEP:
                self._begun_before(event)
                self._turn(event.at_ns, Doing.WAIT)
            case EventKind.WAKE:
                self._begun_before(event)
                self._before_preempt = Doing.KERNEL if self._entered else Doing.PROGRAM
                self._turn(event.at_ns, Doing.RUNQ)
            case EventKind.PREEMPT:
                self._before_preempt = self._doing or Doing.PROGRAM
                self._turn(event.at_ns, Doing.RUNQ)
            case EventKind.RUN:
                on_cpu = Doing.KERNEL if self._entered else Doing.PROGRAM
                resumed = self._before_preempt if self._doing is Doing.RUNQ else on_cpu
                self._turn(event.at_ns, resumed)
            case EventKind.COPY:
                self._begun_before(event)
                self._turn(event.at_ns, Doing.COPY)
            case _:
                return

    def _begun_before(self, event: Event) -> None:
        """The events began in the midst of this call."""
        if self._entered is None and event.syscall and self._doing in (None, Doing.PROGRAM):
            self._entered = Event(
                self._since_ns, event.pid, event.tid, EventKind.ENTER, event.syscall, event.fd, 0
            )
            self._doing = self._doing and Doing.KERNEL

    def _turn(self, at_ns: int, doing: Doing) -> None:
        """From now on it does something else."""
        if self._doing is not None and at_ns > self._since_ns:
            index = len(self._calls) if self._entered is not None else None
            self._drafts.append((self._since_ns, at_ns, self._doing, index))
        self._since_ns, self._doing = at_ns, doing

    def _close_call(self, entered: Event, exit_ns: int, result: int | None) -> None:
        self._calls.append(
            Span(entered.syscall, entered.fd, entered.at_ns, exit_ns, result, entered.value)
        )

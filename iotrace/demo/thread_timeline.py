# SPDX-License-Identifier: Apache-2.0
"""A thread's events as what it did: system calls, and segments of one activity each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from iotrace.snapshot.timeline import Event
from iotrace.vocabulary.events import EventKind


class Activity(Enum):
    """What a thread does for a while; the value is the word that the picture uses."""

    PROGRAM = "program"
    KERNEL = "kernel"
    COPY = "copy"
    WAIT = "wait"
    RUNQ = "runq"


@dataclass(frozen=True, slots=True)
class SystemCall:
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
class Segment:
    """A time in which a thread did one thing. ``call``: the system call it was in, or None."""

    from_ns: int
    to_ns: int
    activity: Activity
    call: SystemCall | None

    @property
    def length_ns(self) -> int:
        """How long it took."""
        return self.to_ns - self.from_ns


@dataclass(frozen=True, slots=True)
class ThreadTimeline:
    """One thread: its segments follow each other without a gap."""

    pid: int
    tid: int
    segments: tuple[Segment, ...]
    calls: tuple[SystemCall, ...]


def thread_timelines(events: Iterable[Event]) -> dict[int, ThreadTimeline]:
    """The timeline of each thread, by tid. Events are in the order of time."""
    by_tid: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.tid:
            by_tid[event.tid].append(event)
    return {tid: _TimelineBuilder(own).timeline() for tid, own in by_tid.items()}


class _TimelineBuilder:
    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self._drafts: list[tuple[int, int, Activity, int | None]] = []
        self._calls: list[SystemCall] = []
        self._since_ns = events[0].at_ns
        self._activity: Activity | None = None
        self._before_preempt = Activity.PROGRAM
        self._entered: Event | None = None

    def timeline(self) -> ThreadTimeline:
        for event in self._events:
            self._take(event)
        last_ns = self._events[-1].at_ns
        if self._entered is not None:
            self._close_call(self._entered, last_ns, None)
        return ThreadTimeline(
            pid=self._events[0].pid,
            tid=self._events[0].tid,
            segments=tuple(
                Segment(a, b, activity, None if index is None else self._calls[index])
                for a, b, activity, index in self._drafts
            ),
            calls=tuple(self._calls),
        )

    def _take(self, event: Event) -> None:
        match event.kind:
            case EventKind.ENTER:
                self._begin_segment(event.at_ns, Activity.KERNEL)
                self._entered = event
            case EventKind.EXIT:
                self._begun_before(event)
                self._begin_segment(event.at_ns, Activity.PROGRAM)
                entered, self._entered = self._entered, None
                if entered is not None:
                    self._close_call(entered, event.at_ns, event.value)
            case EventKind.SLEEP:
                self._begun_before(event)
                self._begin_segment(event.at_ns, Activity.WAIT)
            case EventKind.WAKE:
                self._begun_before(event)
                self._before_preempt = Activity.KERNEL if self._entered else Activity.PROGRAM
                self._begin_segment(event.at_ns, Activity.RUNQ)
            case EventKind.PREEMPT:
                self._before_preempt = self._activity or Activity.PROGRAM
                self._begin_segment(event.at_ns, Activity.RUNQ)
            case EventKind.RUN:
                on_cpu = Activity.KERNEL if self._entered else Activity.PROGRAM
                resumed = self._before_preempt if self._activity is Activity.RUNQ else on_cpu
                self._begin_segment(event.at_ns, resumed)
            case EventKind.COPY:
                self._begun_before(event)
                self._begin_segment(event.at_ns, Activity.COPY)
            case _:
                return

    def _begun_before(self, event: Event) -> None:
        """The events began in the midst of this call."""
        if self._entered is None and event.syscall and self._activity in (None, Activity.PROGRAM):
            self._entered = Event(
                self._since_ns, event.pid, event.tid, EventKind.ENTER, event.syscall, event.fd, 0
            )
            self._activity = self._activity and Activity.KERNEL

    def _begin_segment(self, at_ns: int, activity: Activity) -> None:
        """From now on it does something else."""
        if self._activity is not None and at_ns > self._since_ns:
            index = len(self._calls) if self._entered is not None else None
            self._drafts.append((self._since_ns, at_ns, self._activity, index))
        self._since_ns, self._activity = at_ns, activity

    def _close_call(self, entered: Event, exit_ns: int, result: int | None) -> None:
        self._calls.append(
            SystemCall(entered.syscall, entered.fd, entered.at_ns, exit_ns, result, entered.value)
        )

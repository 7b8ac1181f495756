# SPDX-License-Identifier: Apache-2.0
"""A request as the rows of the two-lane picture, from top to bottom."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from operator import attrgetter

from iotrace.demo import call_labels
from iotrace.demo.request import Request
from iotrace.demo.steps import CREATE, Fold, Step, Work, created_ns, items, within
from iotrace.demo.thread_timeline import Activity, Segment, SystemCall
from iotrace.output.units import format_duration
from iotrace.snapshot.timeline import Event
from iotrace.vocabulary.calls import MULTIPLEXERS, READS, URING
from iotrace.vocabulary.events import EventKind
from iotrace.vocabulary.operations import OPCODE_ACCEPT, OPCODE_RECV, OPCODE_SEND

_TALLER_NS = 10_000
_SHORTEST_NS = 5_000
"""Shorter times between two calls are not drawn (but they count)."""
_OPERATIONS = {OPCODE_SEND: "send", OPCODE_RECV: "receive", OPCODE_ACCEPT: "accept"}


class Lane(Enum):
    """Where the CPU is: in the program, in the kernel, or not with this thread."""

    APPLICATION = "application"
    KERNEL = "kernel"
    ASLEEP = "asleep"
    READY = "ready"


class Shape(Enum):
    """What crosses the picture in a row."""

    PLAIN = "plain"
    CALL = "call"
    RETURN = "return"
    ARRIVAL = "arrival"
    FOLD = "fold"


_LANES = {
    Activity.PROGRAM: Lane.APPLICATION,
    Activity.KERNEL: Lane.KERNEL,
    Activity.COPY: Lane.KERNEL,
    Activity.WAIT: Lane.ASLEEP,
    Activity.RUNQ: Lane.READY,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``at_ns``: from the request's start. ``label``, ``took_ns``: the phase it draws."""

    at_ns: int
    lane: Lane
    application: str = ""
    kernel: str = ""
    shape: Shape = Shape.PLAIN
    label: str = ""
    took_ns: int | None = None

    @property
    def height(self) -> int:
        """Lines: one up to 100 us, and one more for each ten times that."""
        if self.shape not in (Shape.PLAIN, Shape.FOLD) or not self.took_ns:
            return 1
        return max(1, int(math.log10(self.took_ns / _TALLER_NS)) + 1)


def diagram_rows(request: Request) -> tuple[Row, ...]:
    """The rows, in the order of time."""
    rows = [*_prelude(request), *_arrival(request), *map(_mark, request.marks)]
    for item in items(request):
        match item:
            case Work():
                rows += _work(item)
            case Step():
                rows += _step(item, request)
            case Fold():
                rows.append(_fold(item))
    from_ns = request.from_ns
    return tuple(
        replace(row, at_ns=row.at_ns - from_ns) for row in sorted(rows, key=attrgetter("at_ns"))
    )


def _prelude(request: Request) -> Iterable[Row]:
    """Another thread has taken the connection and made this one."""
    if not request.answered:
        return
    if request.accepted_by is None:
        before = (
            " the previous answer is out" if request.fd >= 0 else " the previous request is read"
        )
        yield Row(request.from_ns, Lane.APPLICATION, before)
        return
    made = "thread" if request.timeline.pid == request.accepted_by else "process"
    whose = "main thread" if made == "thread" else "parent"
    yield Row(
        request.from_ns,
        Lane.APPLICATION,
        f" {whose} makes a {made}",
        label=CREATE,
        took_ns=created_ns(request),
    )


def _arrival(request: Request) -> Iterable[Row]:
    if request.ready_ns is None:
        return
    lane = next(
        (_LANES[s.activity] for s in within(request) if s.from_ns <= request.ready_ns <= s.to_ns),
        Lane.ASLEEP,
    )
    yield Row(request.ready_ns, lane, kernel="data arrives", shape=Shape.ARRIVAL)


def _mark(event: Event) -> Row:
    match event.kind:
        case EventKind.SIGNAL:
            sent = signal.Signals(event.value).name if event.value < signal.SIGRTMIN else "signal"
            return Row(event.at_ns, Lane.APPLICATION, sent, "deliver", Shape.RETURN)
        case EventKind.SUBMIT:
            started = _OPERATIONS.get(event.value, f"operation {event.value}")
            return Row(event.at_ns, Lane.KERNEL, kernel=f"start: {started}")
        case _:
            done = call_labels.count(event.value, "byte") if event.value > 0 else "nothing"
            return Row(event.at_ns, Lane.KERNEL, kernel=f"received: {done}")


def _work(work: Work) -> Iterable[Row]:
    others = f" serves others, {call_labels.count(work.others, 'call')}" if work.others else ""
    words = others or " the program works"
    quiet = call_labels.count(work.quiet, "small call") if work.quiet else ""
    since: list[Segment] = []
    slept = False
    for segment in work.segments:
        if segment.activity in (Activity.RUNQ, Activity.WAIT):
            yield from _on_cpu(since, words, quiet)
            yield _off_cpu(segment, after_sleep=slept)
            since, quiet = [], ""
        else:
            since.append(segment)
        slept = segment.activity is Activity.WAIT
    yield from _on_cpu(since, words, quiet)


def _on_cpu(segments: list[Segment], words: str, quiet: str) -> Iterable[Row]:
    took_ns = sum(segment.length_ns for segment in segments)
    if took_ns >= _SHORTEST_NS:
        at_ns, label = segments[0].from_ns, Activity.PROGRAM.value
        yield Row(at_ns, Lane.APPLICATION, words, quiet, label=label, took_ns=took_ns)


def _off_cpu(segment: Segment, *, after_sleep: bool) -> Row:
    if segment.activity is Activity.RUNQ:
        words = " awake, but has no CPU yet" if after_sleep else " another program has its CPU"
        return _phase(segment, Lane.READY, words)
    return _phase(segment, Lane.ASLEEP, " asleep", call_labels.waits(segment.call))


def _phase(segment: Segment, lane: Lane, application: str = "", kernel: str = "") -> Row:
    return Row(
        segment.from_ns,
        lane,
        application,
        kernel,
        label=segment.activity.value,
        took_ns=segment.length_ns,
    )


def _step(step: Step, request: Request) -> Iterable[Row]:
    call, first = step.call, step.segments[0]
    waits = any(segment.activity is Activity.WAIT for segment in step.segments)
    ready_ns = request.ready_ns or 0
    in_vain = waits or (call.syscall in READS and call.enter_ns < ready_ns < call.exit_ns)
    if first.from_ns == call.enter_ns:
        took_ns = first.length_ns if first.activity is Activity.KERNEL else None
        yield Row(
            first.from_ns,
            Lane.KERNEL,
            call_labels.name(call),
            call_labels.asked(call, in_vain=in_vain),
            Shape.CALL,
            Activity.KERNEL.value,
            took_ns,
        )
    before: Activity | None = None
    for segment in step.segments:
        if segment.activity in (Activity.RUNQ, Activity.WAIT):
            yield _off_cpu(segment, after_sleep=before is Activity.WAIT)
        elif segment.activity is Activity.COPY:
            yield _phase(segment, Lane.KERNEL, kernel=f"copy{_copied(call, request)}")
        elif segment is not first and (words := call_labels.found(call)):
            yield _phase(segment, Lane.KERNEL, kernel=words)
        before = segment.activity
    if call.exit_ns <= request.to_ns:
        last = request.answered and call.exit_ns == request.to_ns
        out = "the answer is out" if last else ""
        yield Row(call.exit_ns, Lane.KERNEL, call_labels.returned(call), out, Shape.RETURN)


def _copied(call: SystemCall, request: Request) -> str:
    results = [mark.value for mark in request.marks if mark.kind is EventKind.COMPLETE]
    result = max(results, default=0) if call.syscall in URING else call.result or 0
    return f" {call_labels.count(result, 'byte')}" if result > 0 else ""


def _fold(fold: Fold) -> Row:
    took_ns = sum(segment.length_ns for segment in fold.segments)
    asleep_ns = sum(s.length_ns for s in fold.segments if s.activity is Activity.WAIT)
    told = any(call.syscall in MULTIPLEXERS and call.result for call in fold.calls)
    nothing = "each tells the same" if told else "each finds nothing"
    return Row(
        fold.segments[0].from_ns,
        Lane.APPLICATION,
        f" {call_labels.count(len(fold.calls), 'more such call')}",
        f"{format_duration(asleep_ns)} of it asleep" if asleep_ns else nothing,
        Shape.FOLD,
        "polling",
        took_ns,
    )

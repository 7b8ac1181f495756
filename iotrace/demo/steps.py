# SPDX-License-Identifier: Apache-2.0
"""A request's segments as the steps that are worth drawing.

Housekeeping calls join the program's own time; a long row of calls that find nothing is folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from iotrace.demo.call_labels import fruitless
from iotrace.demo.request import Request
from iotrace.demo.thread_timeline import Activity, Segment, SystemCall
from iotrace.vocabulary.calls import (
    ACCEPTS,
    MULTIPLEXERS,
    READS,
    SIGNAL_WAITS,
    SLEEPS,
    URING,
    WRITES,
)

CREATE = "create"
"""The label of the time in which a process or thread is made for the request."""
_TELLING = READS | WRITES | ACCEPTS | MULTIPLEXERS | SLEEPS | SIGNAL_WAITS | URING
"""Calls that belong to an I/O model; the others are housekeeping unless a thread sleeps in one."""
_LONGEST_SHOWN = 4
"""More calls in a row that find nothing are folded."""


@dataclass(frozen=True, slots=True)
class Work:
    """The thread is outside of any call that matters. ``quiet``: other calls made meanwhile;
    ``others``: calls made for other clients."""

    segments: tuple[Segment, ...]
    quiet: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One system call, or what of it falls into the request."""

    call: SystemCall
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Calls that found nothing, one after the other, and the program's time between them."""

    calls: tuple[SystemCall, ...]
    segments: tuple[Segment, ...]


Item = Work | Step | Fold


def items(request: Request) -> tuple[Item, ...]:
    """What to draw, in the order of time; without gaps from the request's start to its end."""
    return tuple(_folded(_grouped(request), request.ready_ns))


def within(request: Request) -> list[Segment]:
    """The thread's segments, cut to the time of the request."""
    return [
        Segment(
            max(segment.from_ns, request.from_ns),
            min(segment.to_ns, request.to_ns),
            segment.activity,
            segment.call,
        )
        for segment in request.timeline.segments
        if segment.to_ns > request.from_ns and segment.from_ns < request.to_ns
    ]


def sums_ns(request: Request) -> dict[str, int]:
    """What the request's time went to, by label; the sums add up to its length."""
    created = {CREATE: created_ns(request)} if request.accepted_by is not None else {}
    sums = {activity.value: 0 for activity in Activity}
    for segment in within(request):
        sums[segment.activity.value] += segment.length_ns
    return {**created, **sums}


def polling_ns(request: Request) -> dict[str, int]:
    """What the time of the calls that are left out went to, by label; {} where none are."""
    sums: dict[str, int] = {}
    for item in items(request):
        if isinstance(item, Fold):
            for segment in item.segments:
                label = segment.activity.value
                sums[label] = sums.get(label, 0) + segment.length_ns
    return sums


def wait_phase_ns(request: Request) -> tuple[int, int] | None:
    """The textbook's first phase, from the start of the request to the arrival of its data: its
    length, and how much of it the thread slept. None where the arrival was not seen."""
    if request.ready_ns is None:
        return None
    asleep_ns = sum(
        min(segment.to_ns, request.ready_ns) - segment.from_ns
        for segment in within(request)
        if segment.activity is Activity.WAIT and segment.from_ns < request.ready_ns
    )
    return request.ready_ns - request.from_ns, asleep_ns


def created_ns(request: Request) -> int:
    """How long it took to make the thread or process for it."""
    return request.timeline.segments[0].from_ns - request.from_ns


def _grouped(request: Request) -> list[Work | Step]:
    grouped: list[Work | Step] = []
    segments = within(request)
    asleep = {id(s.call) for s in segments if s.activity is Activity.WAIT}
    counted: set[int] = set()
    for segment in segments:
        call, last = segment.call, grouped[-1] if grouped else None
        theirs = call is not None and _is_others(call, request.fd)
        if call is None or theirs or (call.syscall not in _TELLING and id(call) not in asleep):
            new = call is not None and id(call) not in counted
            counted.add(id(call))
            before = last if isinstance(last, Work) else Work(())
            work = Work(
                (*before.segments, segment),
                before.quiet + (new and not theirs),
                before.others + (new and theirs),
            )
            grouped[-1 if isinstance(last, Work) else len(grouped) :] = [work]
        elif isinstance(last, Step) and last.call is call:
            grouped[-1] = Step(call, (*last.segments, segment))
        else:
            grouped.append(Step(call, (segment,)))
    return grouped


def _is_others(call: SystemCall, fd: int) -> bool:
    return call.syscall in READS | WRITES and fd >= 0 and call.fd != fd and not fruitless(call)


def _folded(grouped: Sequence[Work | Step], ready_ns: int | None) -> Iterable[Item]:
    index = 0
    while index < len(grouped):
        end = _barren_end(grouped, index, ready_ns)
        steps = [item for item in grouped[index:end] if isinstance(item, Step)]
        if len(steps) > _LONGEST_SHOWN:
            head = _head(grouped, index, end)
            yield from grouped[index:head]
            rest = grouped[head:end]
            yield Fold(
                tuple(item.call for item in rest if isinstance(item, Step)),
                tuple(segment for item in rest for segment in item.segments),
            )
            index = end
        else:
            yield grouped[index]
            index += 1


def _barren_end(grouped: Sequence[Work | Step], start: int, ready_ns: int | None) -> int:
    """Where the row of calls that find nothing ends; data that arrives in it ends it too."""
    end = start
    for index in range(start, len(grouped)):
        item = grouped[index]
        if isinstance(item, Step):
            if not _is_barren(grouped, index):
                break
            if (
                ready_ns is not None
                and item.call.exit_ns > ready_ns >= grouped[start].segments[0].from_ns
            ):
                break
            end = index + 1
        elif index == start:
            break
    return end


def _is_barren(grouped: Sequence[Work | Step], index: int) -> bool:
    item = grouped[index]
    if not isinstance(item, Step):
        return False
    if fruitless(item.call) or item.call.syscall in SLEEPS:
        return True
    if item.call.syscall not in MULTIPLEXERS:
        return False
    following = next((i for i in grouped[index + 1 :] if isinstance(i, Step)), None)
    return following is not None and (
        fruitless(following.call) or following.call.syscall in MULTIPLEXERS | SLEEPS
    )


def _head(grouped: Sequence[Work | Step], start: int, end: int) -> int:
    """Where the first round ends: the first call that was made before."""
    seen: set[tuple[str, int]] = set()
    for index in range(start, end):
        item = grouped[index]
        if isinstance(item, Step):
            if (item.call.syscall, item.call.fd) in seen:
                return index
            seen.add((item.call.syscall, item.call.fd))
    return end

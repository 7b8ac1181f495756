"""A request's stretches as the steps that are worth drawing.

Housekeeping calls join the program's own time; a long row of calls that find nothing is folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from iotrace.demo.call_labels import fruitless
from iotrace.demo.kinds import MULTIPLEXERS, READS, SLEEPS, TELLING, WRITES
from iotrace.demo.request import Request
from iotrace.demo.thread_timeline import Doing, Span, Stretch

_LONGEST_SHOWN = 4
"""More calls in a row that find nothing are folded."""


@dataclass(frozen=True, slots=True)
class Work:
    """The thread is outside of any call that matters. ``quiet``: other calls made meanwhile;
    ``others``: calls made for other clients."""

    stretches: tuple[Stretch, ...]
    quiet: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One system call, or what of it falls into the request."""

    call: Span
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Calls that found nothing, one after the other, and the program's time between them."""

    calls: tuple[Span, ...]
    stretches: tuple[Stretch, ...]


Item = Work | Step | Fold


def items(request: Request) -> tuple[Item, ...]:
    """What to draw, in the order of time; without gaps from the request's start to its end."""
    return tuple(_folded(_grouped(request), request.ready_ns))


def within(request: Request) -> list[Stretch]:
    """The thread's stretches, cut to the time of the request."""
    return [
        Stretch(
            max(stretch.from_ns, request.from_ns),
            min(stretch.to_ns, request.to_ns),
            stretch.doing,
            stretch.call,
        )
        for stretch in request.strand.stretches
        if stretch.to_ns > request.from_ns and stretch.from_ns < request.to_ns
    ]


def _grouped(request: Request) -> list[Work | Step]:
    grouped: list[Work | Step] = []
    stretches = within(request)
    asleep = {id(s.call) for s in stretches if s.doing is Doing.WAIT}
    counted: set[int] = set()
    for stretch in stretches:
        call, last = stretch.call, grouped[-1] if grouped else None
        theirs = call is not None and _is_others(call, request.fd)
        if call is None or theirs or (call.syscall not in TELLING and id(call) not in asleep):
            new = call is not None and id(call) not in counted
            counted.add(id(call))
            before = last if isinstance(last, Work) else Work(())
            work = Work(
                (*before.stretches, stretch),
                before.quiet + (new and not theirs),
                before.others + (new and theirs),
            )
            grouped[-1 if isinstance(last, Work) else len(grouped) :] = [work]
        elif isinstance(last, Step) and last.call is call:
            grouped[-1] = Step(call, (*last.stretches, stretch))
        else:
            grouped.append(Step(call, (stretch,)))
    return grouped


def _is_others(call: Span, fd: int) -> bool:
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
                tuple(stretch for item in rest for stretch in item.stretches),
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
                and item.call.exit_ns > ready_ns >= grouped[start].stretches[0].from_ns
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

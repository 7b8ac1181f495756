# SPDX-License-Identifier: Apache-2.0
"""Rows that have a Python stack, added up by the place in the program: many stacks lead to one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from iotrace.report.stacks import Frame, Line, RunningTask, StallCause


@dataclass(frozen=True, slots=True)
class StallPlace:
    """Stalls of a loop that have one place and cause.

    ``frame``: the program's own, innermost, of the costliest stack (None: nothing was sampled);
    ``stall_cause``: the row of that stack.
    """

    frame: Frame | None
    stall_cause: StallCause
    count: int
    total_ns: int
    max_ns: int


def stall_places(stall_causes: Iterable[StallCause]) -> tuple[StallPlace, ...]:
    """The costliest first.

    A call has its line. Where a function computes, each stall was seen at some line of it: those
    are one place, named by the costliest.
    """
    sums: dict[object, StallPlace] = {}
    for one in sorted(stall_causes, key=lambda one: -one.total_ns):
        frame = next(iter(one.own_stack), None)
        line = frame and (frame.file, frame.function, frame.line if one.cause == "call" else None)
        key = line, one.cause, one.syscall, one.kind
        seen = sums.get(key, StallPlace(frame, one, 0, 0, 0))
        sums[key] = replace(
            seen,
            count=seen.count + one.count,
            total_ns=seen.total_ns + one.total_ns,
            max_ns=max(seen.max_ns, one.max_ns),
        )
    return tuple(sorted(sums.values(), key=lambda one: -one.total_ns))


@dataclass(frozen=True, slots=True)
class CallPlace:
    """The slow calls of one kind that one place made; the figures are those of ``Line``.

    ``stack``: from the place outwards; () where no stack was kept. ``task``: the asyncio task of
    the longest call.
    """

    stack: tuple[Frame, ...]
    syscall: str
    kind: str
    calls: int = 0
    in_flight: int = 0
    total_ns: int = 0
    wait_ns: int = 0
    copy_ns: int = 0
    max_ns: int = 0
    task: RunningTask | None = None


def call_places(lines: Iterable[Line], *, all_frames: bool = False) -> tuple[CallPlace, ...]:
    """In the order of their first lines.

    The place is the innermost frame of the program itself, or of all frames. Calls of a coroutine
    have one place where the same coroutines await it.
    """
    sums: dict[object, CallPlace] = {}
    for line in lines:
        stack = line.stack if all_frames else line.own_stack
        key = _place_of(stack), line.syscall, line.kind
        seen = sums.get(key, CallPlace(stack, line.syscall, line.kind))
        sums[key] = replace(
            seen,
            calls=seen.calls + line.calls,
            in_flight=seen.in_flight + line.in_flight,
            total_ns=seen.total_ns + line.total_ns,
            wait_ns=seen.wait_ns + line.wait_ns,
            copy_ns=seen.copy_ns + line.copy_ns,
            max_ns=max(seen.max_ns, line.max_ns),
            task=line.task if line.task and line.max_ns > seen.max_ns else seen.task,
        )
    return tuple(sums.values())


def awaiting(stack: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """The coroutines and generators that wait for the first frame, each for the one before it."""
    if not stack or not stack[0].suspends:
        return ()
    outer = stack[1:]
    first = next((place for place, frame in enumerate(outer) if not frame.suspends), len(outer))
    return outer[:first]


def _place_of(stack: tuple[Frame, ...]) -> tuple[object, ...]:
    if not stack:
        return ()
    chain = tuple(frame.function for frame in awaiting(stack))
    return stack[0].place, stack[0].function, stack[0].suspends, chain

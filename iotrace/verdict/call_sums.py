# SPDX-License-Identifier: Apache-2.0
"""System calls by what they are for, added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from iotrace.report.model import Call
from iotrace.report.stacks import Line
from iotrace.vocabulary.calls import ACCEPTS, CONNECTS, READS, SLEEPS, WRITES
from iotrace.vocabulary.kinds import EDGE, GIL_KINDS, LEVEL, NO_FDS, PIPE, SOCKETS


@dataclass(frozen=True, slots=True)
class CallSums:
    """Calls of one category.

    ``ok``: neither failed nor refused; ``wait_ns`` counts those in flight, too.
    """

    calls: int = 0
    ok: int = 0
    eagain: int = 0
    bytes: int = 0
    wait_ns: int = 0
    cpu_ns: int = 0
    filled: int = 0


NO_CALLS = CallSums()


def category_of(call: Call | Line) -> str | None:
    """Which of the sums a call belongs to."""
    name, kind = call.syscall, call.kind
    if name in READS:
        return "reads" if kind in SOCKETS else "pipe_reads" if kind == PIPE else None
    if name in WRITES:
        return "writes" if kind in SOCKETS else None
    if name in ACCEPTS:
        return "accepts"
    if name in CONNECTS:
        return "connects"
    if name in SLEEPS or kind == NO_FDS:
        return "sleeps"
    if name == "futex" and kind in GIL_KINDS:
        return "gil"
    if name == "epoll_ctl" and kind in (EDGE, LEVEL):
        return kind
    return None


def sum_calls(calls: Iterable[Call]) -> CallSums:
    """The sum of these calls."""
    total = [0] * 7
    for call in calls:
        errors = call.errors or {}
        # Where calls are not seen, a sleep stands for one.
        made = (call.sleeps or 0) if call.calls is None else call.calls
        for place, figure in enumerate(
            (
                made,
                made - sum(errors.values()),
                errors.get("EAGAIN", 0),
                call.bytes or 0,
                call.wait_ns,
                (call.kernel_ns or 0) + (call.copy_ns or 0),
                call.filled or 0,
            )
        ):
            total[place] += figure
    return CallSums(*total)


def sums_by_category(calls: Iterable[Call]) -> dict[str, CallSums]:
    """The sum of each category; of one without calls it is zero."""
    by_category: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        category = category_of(call)
        if category is not None:
            by_category[category].append(call)
    return defaultdict(
        CallSums, {category: sum_calls(rows) for category, rows in by_category.items()}
    )

# SPDX-License-Identifier: Apache-2.0
"""One line a system call of a thread on one kind of descriptor.

Order: total time in it (asleep, run queue, copy, kernel). What is cut off are the cheapest lines,
but each call keeps its costliest one: forty idle threads in futex do not hide the recvfrom.
"""

from __future__ import annotations

from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import NOTHING, Column, Table, figures, texts
from iotrace.output.naming import name_tid, of_thread
from iotrace.output.tables import cost
from iotrace.output.view_options import ColumnOrder, Orders, in_order
from iotrace.report.model import Call, Process
from iotrace.vocabulary.calls import LOCKS

_LEGEND = (
    "wait: asleep in it; copy: handing data to the program; p50, p99, max: one call, from entry "
    "to return. EAGAIN: would have blocked."
)
_BY_SLEEPS = (
    "wait: asleep in it; sleeps: how often; slept: from falling asleep to running again, p50, p99 "
    "and max. n/a: calls are not seen in this detail, nor their latencies."
)
_GIL = "GIL: what waiting for Python's GIL took to come back from them."
_IN_FLIGHT = "+1: one more has not returned."
ESTIMATED = "~: estimated."
_UNDER_WAY = "EINPROGRESS"
"""A connect that goes on by itself: none of the errors."""


ORDERS: Orders[Call] = {
    "tid": ColumnOrder(
        lambda call: -call.tid,
        "the thread; `ended`: threads that have ended, added up",
    ),
    "call": ColumnOrder(
        lambda call: f"{call.syscall} {call.kind}",
        "its name, and the kind of its descriptor: tcp, udp, unix, pipe, file, eventfd, ...",
    ),
    "count": ColumnOrder(
        lambda call: -1 if call.calls is None else call.calls,
        "calls that have returned; `+1`: one more has not",
    ),
    "sleeps": ColumnOrder(
        lambda call: call.sleeps or 0,
        "in light detail: times that the thread slept in it; `+1`: it still does",
    ),
    "errors": ColumnOrder(
        lambda call: call.failed or 0,
        "failed calls, without EAGAIN; `err` in a narrow table",
    ),
    "EAGAIN": ColumnOrder(
        lambda call: call.eagain or 0,
        "calls that would have had to wait, and were told so",
    ),
    "bytes": ColumnOrder(lambda call: call.bytes or 0, "sum of what was read or written"),
    "wait": ColumnOrder(attrgetter("wait_ns"), "time asleep in it"),
    "GIL": ColumnOrder(
        lambda call: call.gil_ns or 0,
        "the GIL tax: what waiting for the GIL took to come back to Python from these calls",
    ),
    "copy": ColumnOrder(lambda call: call.copy_ns or 0, "time copying in it; `~`: estimated"),
    "p50": ColumnOrder(
        lambda call: call.latency_ns.p50 if call.latency_ns else -1,
        "half of the calls took at most this, from entry to return",
    ),
    "p99": ColumnOrder(
        lambda call: call.latency_ns.p99 if call.latency_ns else -1,
        "99 of 100 calls took at most this",
    ),
    "max": ColumnOrder(lambda call: call.latency_ns.max if call.latency_ns else -1, "the longest"),
    "slept p50": ColumnOrder(
        lambda call: call.slept_ns.p50 if call.slept_ns else -1,
        "in light detail, of one sleep: from falling asleep to running again",
    ),
    "slept p99": ColumnOrder(
        lambda call: call.slept_ns.p99 if call.slept_ns else -1,
        "99 of 100 sleeps took at most this",
    ),
    "slept max": ColumnOrder(
        lambda call: call.slept_ns.max if call.slept_ns else -1,
        "the longest",
    ),
}


def table(process: Process, top: int | None, sort: str = "") -> Table | None:
    """The process's system calls; None if there are none."""
    if not process.calls:
        return None
    shown, rest = _cut(process.calls, top, sort)
    tids = {call.tid for call in process.calls}
    whose = of_thread(min(tids)) if len(tids) == 1 else "by thread"
    by_sleeps = any(call.sleeps is not None for call in shown)
    columns = [
        *([figures("tid", (name_tid(call.tid) for call in shown))] if len(tids) > 1 else []),
        texts("call", (f"{call.syscall} {call.kind}".rstrip() for call in shown), least=11),
        figures("count", map(_count, shown)),
        *_sleeps(shown),
        *_errors(shown),
        figures("bytes", (units.format_size(call.bytes) for call in shown), spare=2),
        figures("wait", (units.format_duration(call.wait_ns) for call in shown)),
        figures("copy", map(_copy, shown)),
        *(_slept(shown) if by_sleeps else _latencies(shown)),
        *_gil(shown),
    ]
    return Table(
        title=f"System calls {whose} ({units.format_count(len(process.calls))})",
        legend=(
            _BY_SLEEPS if by_sleeps else _LEGEND,
            *([_GIL] if any(call.gil_ns for call in shown) else []),
            *([_IN_FLIGHT] if any(call.in_flight for call in shown) else []),
            *([ESTIMATED] if any(call.copy_estimated for call in shown) else []),
        ),
        columns=tuple(columns),
        more=cost.more(rest, lambda call: call.wait_ns),
    )


def _cut(calls: tuple[Call, ...], top: int | None, sort: str) -> tuple[list[Call], list[Call]]:
    ranked = in_order(calls, sort, ORDERS, _cost)
    seen: set[tuple[str, str]] = set()
    firsts: list[Call] = []
    others: list[Call] = []
    for call in ranked:
        (others if (call.syscall, call.kind) in seen else firsts).append(call)
        seen.add((call.syscall, call.kind))
    kept, _ = cost.less_alike([*firsts, *others], _kind, top)
    chosen = set(map(id, kept))
    return (
        [call for call in ranked if id(call) in chosen],
        [call for call in ranked if id(call) not in chosen],
    )


def _kind(call: Call) -> object:
    """Calls that many threads sit in all along are alike; any other is of its own kind."""
    one = call.calls is not None and call.calls + call.in_flight <= 1
    return (call.syscall, call.kind) if one else id(call)


def _cost(call: Call) -> int:
    """All time in it that is known of."""
    return call.wait_ns + call.runq_ns if call.total_ns is None else call.total_ns


def _count(call: Call) -> str:
    return _and_in_flight(call.calls, 0 if call.calls is None else call.in_flight)


def _and_in_flight(count: int | None, in_flight: int) -> str:
    if not in_flight:
        return units.format_count(count)
    return f"{units.format_count(count)}+{units.format_count(in_flight)}"


def _sleeps(calls: list[Call]) -> list[Column]:
    """How often it slept, where that is what was counted."""
    if all(call.sleeps is None for call in calls):
        return []
    counts = (
        _and_in_flight(call.sleeps, call.in_flight if call.calls is None else 0) for call in calls
    )
    return [figures("sleeps", counts)]


def _errors(calls: list[Call]) -> list[Column]:
    """EAGAIN and the other errors: a column each, if there are any."""
    columns = []
    others = [
        {
            name: times
            for name, times in (call.errors or {}).items()
            if times and name != _UNDER_WAY and (name != "EAGAIN" or call.syscall in LOCKS)
        }
        for call in calls
    ]
    if any(others):
        columns.append(
            texts("errors", map(_named, others), least=6, short="err", right=True, spare=1)
        )
    # Of a lock it says that it had changed before the thread slept: nothing would have blocked.
    eagain = [0 if call.syscall in LOCKS else call.eagain for call in calls]
    if any(eagain):
        columns.append(figures("EAGAIN", map(units.format_count, eagain)))
    return columns


def _named(errors: dict[str, int]) -> tuple[str, ...]:
    """``3 EPIPE 1 ECONNRESET`` where there is room, else ``4``."""
    if not errors:
        return (NOTHING,)
    ranked = sorted(errors.items(), key=lambda entry: entry[1], reverse=True)
    named = " ".join(f"{units.format_count(times)} {name}" for name, times in ranked)
    return named, units.format_count(sum(errors.values()))


def _copy(call: Call) -> str:
    return estimated(call.copy_ns, call.copy_estimated)


def estimated(copy_ns: int | None, is_estimate: bool) -> str:
    """A copy time, marked ``~`` where it is an estimate."""
    mark = "~" if is_estimate and copy_ns else ""
    return mark + units.format_duration(copy_ns)


def _gil(calls: list[Call]) -> list[Column]:
    if not any(call.gil_ns for call in calls):
        return []
    return [figures("GIL", (units.format_duration(call.gil_ns) for call in calls), spare=6)]


def _slept(calls: list[Call]) -> list[Column]:
    times = [call.slept_ns for call in calls]
    return [
        figures(
            f"slept {name}",
            (units.format_duration(getattr(one, name)) if one else NOTHING for one in times),
            short="slept" if name == "p50" else name,
            spare=spare,
        )
        for name, spare in (("p50", 3), ("p99", 0), ("max", 4))
    ]


def _latencies(calls: list[Call]) -> list[Column]:
    known = [call.latency_ns for call in calls]
    return [
        figures(
            "p50",
            (units.format_duration(times.p50) if times else NOTHING for times in known),
            spare=3,
        ),
        figures("p99", (units.format_duration(times.p99) if times else NOTHING for times in known)),
        figures(
            "max",
            (units.format_duration(times.max) if times else NOTHING for times in known),
            spare=4,
        ),
    ]

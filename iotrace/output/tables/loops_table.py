# SPDX-License-Identifier: Apache-2.0
"""One line an event loop: a thread's use of one multiplexer.

Order: time busy between its returns and its next calls.
"""

from __future__ import annotations

from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import NOTHING, Column, Table, figures, texts
from iotrace.output.naming import name_tid, of_thread
from iotrace.output.tables import cost
from iotrace.output.tables.lines_table import where
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Loop, Process, Stalls
from iotrace.report.places import StallPlace, stall_places
from iotrace.report.stacks import StallCause

_LEGEND = (
    "watched (fds): descriptors in its set; iterations (iter): returns of the call; ready: "
    "descriptors a return, mean/max; empty: none ready; timeout: none in time; busy: from a "
    "return to the next call, p50, p99 and max."
)
_SLEEPS = (
    "sleeps: calls that slept, and wait: how long; n/a: the others are not seen, so that busy is "
    "from one sleep to the next."
)
_NO_WAIT = "no-wait: told not to wait."
_UNSERVED = "unserved: some ready, none read, written or accepted."


_MOST_PLACES = 3
"""Places that stalled a loop, told in words; json has them all."""

ORDERS: Orders[Loop] = {
    "tid": ColumnOrder(lambda loop: -loop.tid, "the thread"),
    "call": ColumnOrder(attrgetter("multiplexer"), "the multiplexer"),
    "trigger": ColumnOrder(
        lambda loop: loop.trigger or "",
        "`level`, `edge` or `mixed`: how an epoll is told of readiness, from /proc while the "
        "process lived",
    ),
    "watched": ColumnOrder(
        lambda loop: -1 if loop.watched is None else loop.watched,
        "descriptors in its set: of an epoll when last looked at, of a poll the most, of a "
        "select the most that was seen (its first 64 calls and every 64th one are looked "
        "at); `fds` in a narrow table",
    ),
    "iterations": ColumnOrder(
        lambda loop: loop.iterations or 0,
        "returns of the call without an error",
    ),
    "sleeps": ColumnOrder(
        lambda loop: loop.sleeps or 0,
        "in light detail: calls of it that slept",
    ),
    "wait": ColumnOrder(attrgetter("wait_ns"), "in light detail: time asleep in it"),
    "ready": ColumnOrder(
        lambda loop: loop.ready.mean if loop.ready else -1.0,
        "ready descriptors a return: mean/most",
    ),
    "empty": ColumnOrder(lambda loop: loop.empty or 0, "returns with nothing ready"),
    "timeout": ColumnOrder(
        lambda loop: loop.timeouts or 0,
        "those of them that had been allowed to wait",
    ),
    "no-wait": ColumnOrder(
        lambda loop: loop.zero_timeout or 0,
        "calls that were told not to wait",
    ),
    "unserved": ColumnOrder(
        lambda loop: loop.unserved or 0,
        "returns with something ready, after which nothing was read, written or accepted",
    ),
    "busy": ColumnOrder(
        lambda loop: loop.busy_ns.p50 if loop.busy_ns else -1,
        "from a return to the next call (in light detail from one sleep to the next, be there "
        "calls between that do not sleep), p50: how long everybody else had to wait",
    ),
    "p99": ColumnOrder(lambda loop: loop.busy_ns.p99 if loop.busy_ns else -1, "of busy"),
    "max": ColumnOrder(lambda loop: loop.busy_ns.max if loop.busy_ns else -1, "of busy"),
}


def table(process: Process, top: int | None, sort: str = "") -> Table | None:
    """The process's event loops; None if there are none."""
    if not process.loops:
        return None
    shown, rest = cost.costliest(process.loops, _cost, top, sort, ORDERS)
    no_wait = _if_any("no-wait", [loop.zero_timeout or 0 for loop in shown], spare=5)
    unserved = _if_any("unserved", [loop.unserved or 0 for loop in shown], spare=4)
    alone = of_thread(shown[0].tid) if len(process.loops) == len(shown) == 1 else ""
    columns = [
        *([] if alone else [figures("tid", (name_tid(loop.tid) for loop in shown))]),
        texts("call", (loop.multiplexer for loop in shown), least=10),
        texts("trigger", (loop.trigger or units.UNKNOWN for loop in shown), least=5, spare=2),
        figures("watched", (units.format_count(loop.watched) for loop in shown), short="fds"),
        figures(
            "iterations", (units.format_count(loop.iterations) for loop in shown), short="iter"
        ),
        *_sleeps(shown),
        figures("ready", map(_ready, shown)),
        figures("empty", (units.format_count(loop.empty) for loop in shown)),
        figures("timeout", (units.format_count(loop.timeouts) for loop in shown), spare=3),
        *no_wait,
        *unserved,
        *_busy(shown),
    ]
    return Table(
        title=_title(process, alone),
        legend=(
            _LEGEND,
            *([_SLEEPS] if _sleeps(shown) else []),
            *([_NO_WAIT] if no_wait else []),
            *([_UNSERVED] if unserved else []),
        ),
        columns=tuple(columns),
        more=cost.more(rest, lambda loop: loop.wait_ns),
        notes=tuple(_stalled(loop.tid, loop.stalls) for loop in shown if loop.stalls),
    )


_BLOCKING = "blocking"
"""The id of the model of a thread that waits in its reads."""


def _title(process: Process, alone: str) -> str:
    """Who serves one connection after the other may wait in the same calls, and is no loop."""
    models = {row.tid: row.model for row in process.threads}
    none = all((model := models.get(loop.tid)) and model.id == _BLOCKING for loop in process.loops)
    name = "Multiplexer" if none else "Event loop"
    return f"{name} {alone}" if alone else f"{name}s ({len(process.loops):,})"


def _cost(loop: Loop) -> int:
    return loop.wait_ns if loop.busy_total_ns is None else loop.busy_total_ns


def _sleeps(loops: list[Loop]) -> list[Column]:
    """What is known where its returns are not."""
    if all(loop.sleeps is None for loop in loops):
        return []
    return [
        figures("sleeps", (units.format_count(loop.sleeps) for loop in loops)),
        figures("wait", (units.format_duration(loop.wait_ns) for loop in loops)),
    ]


def _ready(loop: Loop) -> str:
    if loop.ready is None:
        return units.UNKNOWN
    return f"{loop.ready.mean:.2f}/{units.format_count(loop.ready.max)}"


def _if_any(title: str, numbers: list[int], spare: int) -> list[Column]:
    return [figures(title, map(units.format_count, numbers), spare=spare)] if any(numbers) else []


def _busy(loops: list[Loop]) -> list[Column]:
    return [
        figures("busy", (_turn(loop, "p50") for loop in loops)),
        figures("p99", (_turn(loop, "p99") for loop in loops), spare=1),
        figures("max", (_turn(loop, "max") for loop in loops)),
    ]


def _turn(loop: Loop, name: str) -> str:
    if loop.busy_ns is None:
        return units.UNKNOWN if loop.busy_total_ns is None else NOTHING
    return units.format_duration(getattr(loop.busy_ns, name))


def _stall_place(one: StallPlace) -> str:
    """``3 times in orders.py:88 fetch*: blocked in recvfrom tcp on descriptor 7, task query-7``."""
    at = f" in {where((one.frame,))[0]}" if one.frame else ""
    times = units.plural(one.count, "time")
    longest = units.format_duration(one.max_ns)
    task = f", task {one.stall_cause.task.chain}" if one.stall_cause.task else ""
    return f"{times}{at} ({longest} at most): {_cause(one.stall_cause)}{task}"


def _cause(one: StallCause) -> str:
    if one.cause == "call":
        on = f" on descriptor {one.fd}" if one.fd is not None else ""
        return f"blocked in {one.syscall} {one.kind}".rstrip() + on
    cause = {
        "cpu": "computing",
        "gc": "collecting garbage",
        "gil": "this had the GIL that the loop waited for",
        "runq": "ready, but without a CPU",
        "poll": "asleep in a poll or select inside of the iteration",
    }[one.cause]
    return f"{cause}, in {one.native}" if one.native else cause


def _stalled(tid: int, stalls: Stalls) -> str:
    """A sentence: the figures are too many for columns, and most loops have none."""
    spent = {"on a CPU": stalls.cpu_ns, "runq": stalls.runq_ns, **stalls.wait_ns}
    ranked = sorted(spent.items(), key=lambda entry: entry[1], reverse=True)
    parts = [
        f"{name} {units.format_percent(time, stalls.total_ns)}" for name, time in ranked if time
    ]
    sentence = (
        f"{f'Thread {tid}' if tid else 'A thread that has ended'} was busy for over 50 ms "
        f"{units.plural(stalls.count, 'time')}, {units.format_duration(stalls.total_ns)} "
        f"in all: {', '.join(parts)}."
    )
    sentence += "".join(
        f" {_stall_place(one)}." for one in stall_places(stalls.causes)[:_MOST_PLACES]
    )
    worst = stalls.worst
    if worst is None:
        return sentence
    where = f"{worst.syscall} {worst.kind}".rstrip() + (
        f" on descriptor {worst.fd}" if worst.fd is not None else ""
    )
    waited = units.format_duration(worst.wait_ns)
    return f"{sentence} Longest wait in one call: {waited} in {where}."

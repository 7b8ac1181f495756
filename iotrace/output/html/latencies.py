# SPDX-License-Identifier: Apache-2.0
"""Histograms: how long calls took, slept and copied, how long loops were away, data lay unread.

A card is one call (or loop, or operation); all cards of a process have one axis.
"""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.output import units
from iotrace.output.html import cards
from iotrace.output.html.cards import Card, Lane, lane
from iotrace.output.html.elements import Markup, tag
from iotrace.output.html.states import legend
from iotrace.output.naming import name_tid
from iotrace.report.model import (
    Call,
    Loop,
    Operation,
    Pickup,
    Process,
)
from iotrace.report.process_totals import awake_ns

MOST_CALLS = 12
_MOST_OTHERS = 4
_PHASES = ("wait", "runq", "kernel", "copy")


def section(process: Process, most_calls: int = MOST_CALLS) -> Markup:
    """The cards; nothing if no call has returned (or slept) and no loop turned."""
    timed = _timed(process)
    shown, rest = timed[:most_calls], timed[most_calls:]
    found = [*map(_of_call, shown), *_others(process)]
    if not found:
        return Markup()
    more = f"… and {units.plural(len(rest), 'more row')} of calls" if rest else ""
    return tag(
        "section",
        tag("h3", "How long calls took, waited and copied"),
        tag(
            "p",
            "Histograms on one logarithmic axis of time. Areas are in proportion to how many there "
            "were; p50 and p99 are marked. The bar on top is what the time in the call was:",
            class_="faint",
        ),
        legend(_PHASES),
        tag("div", *cards.drawn(found), class_="cards"),
        *([tag("p", more, class_="faint")] if more else []),
    )


def _timed(process: Process) -> list[Call]:
    """The calls of the costliest threads first: those that idle have the longest calls."""
    awake = {thread.tid: awake_ns(thread) for thread in process.threads}
    timed = [call for call in process.calls if (call.latency_ns and call.calls) or call.slept_ns]
    return sorted(timed, key=lambda call: (-awake.get(call.tid, 0), -_time_in(call)))


def _time_in(call: Call) -> int:
    return call.wait_ns + call.runq_ns if call.total_ns is None else call.total_ns


def _of_call(call: Call) -> Card:
    phases = ((name, getattr(call, f"{name}_ns")) for name in _PHASES)
    return Card(
        title=f"{call.syscall} {call.kind}".rstrip(),
        aside=f"{_thread(call.tid)}, {_counted(call)}",
        lanes=tuple(_lanes(call)),
        phases=tuple((name, time) for name, time in phases if time is not None),
    )


def _counted(call: Call) -> str:
    if call.latency_ns is None:
        return units.plural(call.sleeps or 0, "sleep")
    return units.plural(call.calls or 0, "call")


def _lanes(call: Call) -> Iterator[Lane]:
    if call.latency_ns is not None:
        yield lane("h-call", "took", call.latency_ns)
    elif call.slept_ns is not None:
        yield lane("h-wait", "slept and was ready", call.slept_ns)
    estimated = " (est.)" if call.copy_estimated else ""
    phases = (("h-wait", "slept", call.waits_ns), ("h-copy", f"copied{estimated}", call.copies_ns))
    for style, did, phase in phases:
        if phase is not None:
            yield Lane(
                style,
                f"{units.format_count(phase.count)} {did}: p50 {_time(phase.p50)}, "
                f"p99 {_time(phase.p99)}",
                phase.histogram,
                phase.p50,
                phase.p99,
            )


def _others(process: Process) -> Iterator[Card]:
    for loop in process.loops[:_MOST_OTHERS]:
        if loop.busy_ns is not None:
            yield _of_loop(loop)
    if process.pickup_ns is not None:
        yield _of_pickup(process.pickup_ns)
    for operation in process.operations[:_MOST_OTHERS]:
        if operation.submit_to_complete_ns is not None:
            yield _of_operation(operation)


def _of_loop(loop: Loop) -> Card:
    assert loop.busy_ns is not None
    return Card(
        "the loop's lag",
        f"{_thread(loop.tid)}, from a return of {loop.multiplexer} to its next call",
        (lane("h-loop", "busy", loop.busy_ns),),
    )


def _of_pickup(pickup: Pickup) -> Card:
    return Card(
        "pickup delay",
        f"all sockets, {units.plural(pickup.count, 'read')}: from the arrival of data to the copy",
        (lane("h-pickup", "unread", pickup),),
    )


def _of_operation(operation: Operation) -> Card:
    assert operation.submit_to_complete_ns is not None
    return Card(
        f"io_uring {operation.op}",
        f"{units.plural(operation.count, 'operation')}, from submission to completion",
        (lane("h-call", "took", operation.submit_to_complete_ns),),
    )


def _thread(tid: int) -> str:
    return f"thread {name_tid(tid)}"


def _time(ns: int) -> str:
    return units.format_duration(ns)

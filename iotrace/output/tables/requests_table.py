# SPDX-License-Identifier: Apache-2.0
"""One line a listening socket: the requests that came in there. Order: how many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import NOTHING, Column, Table, figures, texts
from iotrace.output.tables import cost
from iotrace.output.tables.latency_columns import order, owed, time
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Process
from iotrace.report.request_profile import main_states, slowest, typical
from iotrace.report.requests import Requests, RequestTier, SlowRequest
from iotrace.report.times import Durations

_LEGEND = (
    "exchanges (count): requests that arrived during the trace, with their answers; p50, p99, max: "
    "from the arrival of data to the answer's first byte; p99 of its parts: pickup, until it is "
    "read, and service, from there to the first byte; owed: of those that arrived during the "
    "trace, not answered at the end, and the oldest one's age."
)
_QUEUE = "queue: p99 of connections, until they are accepted; pickup begins after it."
_LAST = "last: p99 from the arrival to the answer's last byte."
_AFTER_CLOSE = (
    "after close: requests on connections that the server had closed, as they were idle; each got "
    "a reset."
)
_ELSEWHERE = "elsewhere: in the hands of no thread yet, or of one that is not known."
_OVERLAP = (
    "n/a: several requests at once on a connection, so that no answer can be told from another."
)


ORDERS: Orders[Requests] = {
    "listener": ColumnOrder(attrgetter("listener"), "the listening socket"),
    "count": ColumnOrder(attrgetter("exchanges"), "exchanges: requests with their answers"),
    "rate": ColumnOrder(attrgetter("per_second"), "exchanges a second"),
    "owed": ColumnOrder(
        attrgetter("unanswered"),
        "requests that were not answered at the end, and how long the oldest of them had waited",
    ),
    "after close": ColumnOrder(
        attrgetter("after_close"), "requests on connections that the server had closed as idle"
    ),
    "p50": order("latency_ns", "p50", "from the arrival of data to the answer's first byte"),
    "p99": order("latency_ns", "p99", "the same, of the slowest hundredth"),
    "max": order("latency_ns", "max", "the longest"),
    "pickup": order(
        "pickup_ns",
        "p99",
        "until the first read has ended (from the accept, where that came later)",
    ),
    "service": order("service_ns", "p99", "from there to the first write of the answer"),
    "queue": order("queue_ns", "p99", "of connections: in the accept queue"),
    "last": order("last_byte_ns", "p99", "from the arrival to the end of the answer's last write"),
}


def table(process: Process, top: int | None, sort: str = "") -> Table | None:
    """The process's listeners with what they answered; None if there are none."""
    if not process.requests:
        return None
    shown, rest = cost.costliest(process.requests, attrgetter("exchanges"), top, sort, ORDERS)
    queue = _p99("queue", shown, "queue_ns", spare=3)
    last = _p99("last", shown, "last_byte_ns", spare=2)
    columns = (
        texts("listener", (row.listener for row in shown), least=14, keep_end=True),
        figures("count", (units.format_count(row.exchanges) for row in shown)),
        figures("rate", map(_rate, shown), spare=3),
        *owed(shown),
        *_after_close(shown),
        *(_latency(shown, name) for name in ("p50", "p99")),
        _latency(shown, "max", spare=1),  # the line of the longest one has it, too
        *_p99("pickup", shown, "pickup_ns"),
        *_p99("service", shown, "service_ns"),
        *queue,
        *last,
    )
    overlap = any(row.latency_ns is None and row.exchanges for row in shown)
    return Table(
        title="Requests",
        legend=(
            _LEGEND,
            *([_QUEUE] if queue else []),
            *([_LAST] if last else []),
            *([_AFTER_CLOSE] if _after_close(shown) else []),
            *([_OVERLAP] if overlap else []),
            *([_ELSEWHERE] if any(map(_is_elsewhere, shown)) else []),
        ),
        columns=columns,
        more=f"… and {units.format_count(len(rest))} more" if rest else "",
        notes=(
            *_of_workers(process),
            *(note for row in shown for note in _notes(row, len(shown) > 1)),
        ),
    )


def _rate(row: Requests) -> str:
    if not row.exchanges:
        return NOTHING
    return (
        f"{row.per_second:.1f}"
        if row.per_second < 100
        else units.format_count(round(row.per_second))
    )


def _after_close(rows: list[Requests]) -> list[Column]:
    if not any(row.after_close for row in rows):
        return []
    return [figures("after close", (units.format_count(row.after_close) for row in rows))]


def _of_workers(process: Process) -> list[str]:
    if process.workers is None:
        return []
    return [f"Of {len(process.workers.pids)} processes together; --by worker shows each."]


def _latency(rows: list[Requests], name: str, spare: int = 0) -> Column:
    return figures(name, (_time(row, row.latency_ns, name) for row in rows), spare=spare)


def _p99(title: str, rows: list[Requests], field: str, spare: int = 0) -> list[Column]:
    if all(getattr(row, field) is None for row in rows):
        return []
    return [figures(title, (_time(row, getattr(row, field), "p99") for row in rows), spare=spare)]


def _time(row: Requests, times: Durations | None, name: str) -> str:
    return time(times, name, units.UNKNOWN if row.exchanges else NOTHING)


def _notes(row: Requests, several: bool) -> Iterator[str]:
    where = f"{row.listener}: " if several else ""
    if common := typical(row):
        yield f"{where}typical {_split(common, common.count or 1)}."
    if slow := slowest(row):
        yield f"{where}slowest {units.format_count(slow.count)}: {_split(slow, slow.count or 1)}."
    if row.exemplars:
        yield f"{where}longest: {_longest(row.exemplars[0])}."
    if row.dropped or row.pending:
        yield (
            f"{where}accept queue: {units.plural(row.pending or 0, 'connection')} in it at the end "
            f"(backlog {units.format_count(row.max_pending or 0)}), "
            f"{units.format_count(row.dropped or 0)} dropped for lack of room."
        )
    if row.unknown:
        yield (
            f"{where}of {units.plural(row.unknown, 'exchange')} it is not known which thread had "
            "them: their time is elsewhere."
        )


def _is_elsewhere(row: Requests) -> bool:
    """Whether its notes say so of any time."""
    told: list[RequestTier | SlowRequest | None] = [typical(row), slowest(row), *row.exemplars[:1]]
    return any(
        "elsewhere" in dict(main_states(states))
        for one in told
        if one is not None
        for states in (one.pickup_ns, one.service_ns)
    )


def _split(one: RequestTier | SlowRequest, count: int) -> str:
    """``98.0 us = pickup 39.0 us (user 20.0 us, runq 13.0 us) + service ...``: of ``count``."""
    queue_ns = one.queue_ns
    parts = [f"queue {units.format_duration(queue_ns / count)}"] if queue_ns else []
    parts += [_part("pickup", one.pickup_ns, count), _part("service", one.service_ns, count)]
    return f"{units.format_duration(one.latency_ns / count)} = {' + '.join(parts)}"


def _part(name: str, states: Mapping[str, int], count: int) -> str:
    told = [f"{state} {units.format_duration(ns / count)}" for state, ns in main_states(states)]
    split = f" ({', '.join(told)})" if told else ""
    return f"{name} {units.format_duration(sum(states.values()) / count)}{split}"


def _longest(slow: SlowRequest) -> str:
    peer = f" for {slow.peer}" if slow.peer else ""
    when = f" at {units.format_duration(slow.arrived_ns)}" if slow.arrived_ns else ""
    task = f", task {slow.task.chain}" if slow.task else ""
    return f"{_split(slow, 1)}{peer}{when}{task}{_longest_wait(slow)}"


def _longest_wait(slow: SlowRequest) -> str:
    """``, longest wait orders.py:88 get, recvfrom tcp 40.0 ms``; "" if none is known."""
    wait = slow.longest_wait
    if wait is None:
        return ""
    place = "".join(f"{one.place} {one.function}, " for one in wait.own_stack[:1])
    call = f"{wait.syscall} {wait.kind}".rstrip()
    return f"; its longest wait: {place}{call} {units.format_duration(wait.wait_ns)}"

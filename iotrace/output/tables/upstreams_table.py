# SPDX-License-Identifier: Apache-2.0
"""One line a peer: the calls that this process makes to other servers. Order: time in them."""

from __future__ import annotations

from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import Column, Table, figures, texts
from iotrace.output.tables import cost
from iotrace.output.tables.latency_columns import order, owed, time
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Process
from iotrace.report.requests import Upstream

_LEGEND = (
    "theirs: from the last byte of a query to the arrival of its answer, p50 and p99; pickup: from "
    "there until this process had read it; at once: calls in flight, at most; owed: of those "
    "that were sent during the trace, not answered at the end, and the oldest one's age."
)
_CUT_OFF = "cut off: queries whose connection ended before an answer came."
_CONNECT = "connect: p99 of the time to connect; failed: connections that could not be made."


ORDERS: Orders[Upstream] = {
    "peer": ColumnOrder(attrgetter("peer"), "whom the process has connected to"),
    "calls": ColumnOrder(attrgetter("calls"), "queries with their answers"),
    "at once": ColumnOrder(
        attrgetter("in_flight_max"), "calls in flight at the same time, at most, over the trace"
    ),
    "owed": ColumnOrder(
        attrgetter("unanswered"),
        "queries that were not answered at the end, and how long the oldest of them had waited",
    ),
    "theirs": order(
        "theirs_ns",
        "p50",
        "from the last byte of a query to the arrival of its answer: the peer's time and the "
        "network's",
    ),
    "theirs p99": order("theirs_ns", "p99", "the same, of the slowest hundredth"),
    "pickup": order(
        "pickup_ns", "p50", "from the arrival of an answer until this process had read it"
    ),
    "pickup p99": order("pickup_ns", "p99", "the same, of the slowest hundredth"),
    "connect": order("connect_ns", "p99", "time to connect"),
    "cut off": ColumnOrder(
        attrgetter("cut_off"), "queries whose connection ended before an answer came"
    ),
    "failed": ColumnOrder(attrgetter("connect_errors"), "connections that could not be made"),
}


def table(process: Process, top: int | None, sort: str = "") -> Table | None:
    """The process's peers; None if there are none."""
    if not process.upstreams:
        return None
    shown, rest = cost.costliest(process.upstreams, _cost, top, sort, ORDERS)
    connect = _connect(shown)
    columns = (
        texts("peer", (row.peer for row in shown), least=14, keep_end=True),
        figures("calls", (units.format_count(row.calls) for row in shown)),
        figures("at once", (units.format_count(row.in_flight_max) for row in shown), spare=3),
        *owed(shown),
        *_cut_off(shown),
        *_times("theirs", shown, "theirs_ns"),
        *_times("pickup", shown, "pickup_ns"),
        *connect,
    )
    return Table(
        title="Upstreams",
        legend=(
            _LEGEND,
            *([_CUT_OFF] if _cut_off(shown) else []),
            *([_CONNECT] if connect else []),
        ),
        columns=columns,
        more=f"… and {units.format_count(len(rest))} more" if rest else "",
    )


def _cost(row: Upstream) -> int:
    return row.calls


def _cut_off(rows: list[Upstream]) -> list[Column]:
    if not any(row.cut_off for row in rows):
        return []
    return [figures("cut off", (units.format_count(row.cut_off) for row in rows))]


def _times(title: str, rows: list[Upstream], field: str) -> list[Column]:
    return [
        figures(title, (time(getattr(row, field), "p50") for row in rows)),
        figures(f"{title} p99", (time(getattr(row, field), "p99") for row in rows), short="p99"),
    ]


def _connect(rows: list[Upstream]) -> list[Column]:
    if all(row.connect_ns is None and not row.connect_errors for row in rows):
        return []
    return [
        figures("connect", (time(row.connect_ns, "p99") for row in rows), spare=1),
        figures("failed", (units.format_count(row.connect_errors) for row in rows), spare=2),
    ]

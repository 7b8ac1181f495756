# SPDX-License-Identifier: Apache-2.0
"""The orders that a page's rows can be shown in; the first one is where it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from iotrace.live.page_rows import CallRow, LoopRow, ThreadRow
from iotrace.live.request_figures import RequestRow

_Row = TypeVar("_Row")
_Orders = dict[str, Callable[[_Row], float]]

THREADS: _Orders[ThreadRow] = {
    "on CPU": lambda row: row.shares.on_cpu,
    "ready": lambda row: row.shares.runq,
    "asleep": lambda row: row.shares.wait,
    "calls": lambda row: row.calls_per_s or 0.0,
    "tid": lambda row: -row.tid,
}
CALLS: _Orders[CallRow] = {
    "time": lambda row: row.share,
    "calls": lambda row: row.calls_per_s or 0.0,
    "bytes": lambda row: row.bytes_per_s or 0.0,
    "p99": lambda row: row.p99_ns or 0,
    "max": lambda row: row.max_ns or 0,
}
LOOPS: _Orders[LoopRow] = {
    "max": lambda row: row.busy.max if row.busy else -1,
    "p99": lambda row: row.busy.p99 if row.busy else -1,
    "stalls": lambda row: row.stalls,
    "iterations": lambda row: row.iterations_per_s or 0.0,
}
REQUESTS: _Orders[RequestRow] = {
    "requests": lambda row: row.per_s,
    "p99": lambda row: row.times.p99 if row.times else -1,
    "p50": lambda row: row.times.p50 if row.times else -1,
    "max": lambda row: row.times.max if row.times else -1,
    "owed": lambda row: row.owed,
}


def ordered(rows: tuple[_Row, ...], orders: _Orders[_Row], name: str) -> list[_Row]:
    """Biggest first; equals stay as they are."""
    return sorted(rows, key=orders[name], reverse=True)


def following(name: str, names: list[str]) -> str:
    """The order after this one, and after the last the first again."""
    return names[(names.index(name) + 1) % len(names)]

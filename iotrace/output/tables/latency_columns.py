# SPDX-License-Identifier: Apache-2.0
"""Columns that the tables of requests and of upstreams have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from iotrace.output import units
from iotrace.output.blocks import NOTHING, Column, texts
from iotrace.output.view_options import ColumnOrder
from iotrace.report.requests import Requests, Upstream
from iotrace.report.times import Durations

Row = Requests | Upstream


def owed(rows: Sequence[Row]) -> list[Column]:
    """What was not answered at the end, and for how long; nothing where all was."""
    if not any(row.unanswered for row in rows):
        return []
    cells = [_owed(row) for row in rows]
    return [texts("owed", cells, least=max(len(forms[-1]) for forms in cells), right=True)]


def _owed(row: Row) -> tuple[str, ...]:
    if not row.unanswered:
        return (NOTHING,)
    count = units.format_count(row.unanswered)
    age = units.compact(units.format_duration(row.oldest_unanswered_ns))
    return f"{count} ({age})", f"{count}/{age}"


def time(times: Durations | None, name: str, missing: str = NOTHING) -> str:
    """One percentile."""
    return units.format_duration(getattr(times, name)) if times else missing


def order(field: str, name: str, meaning: str) -> ColumnOrder[Any]:
    """By one percentile of a field; rows that have none come last."""
    times_of: Callable[[Any], Durations | None] = attrgetter(field)

    def key(row: Any) -> int:
        times = times_of(row)
        return getattr(times, name) if times else -1

    return ColumnOrder(key, meaning)

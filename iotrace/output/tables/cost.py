# SPDX-License-Identifier: Apache-2.0
"""The orders in which rows are printed, and the line that stands for the ones that are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from iotrace.output import units
from iotrace.output.view_options import NO_ORDERS, Orders, in_order

Row = TypeVar("Row")

MOST_ALIKE = 5
"""Rows of one kind, in a table that has not room for all."""


def costliest(
    rows: Iterable[Row],
    cost: Callable[[Row], int],
    top: int | None,
    sort: str = "",
    orders: Orders[Row] = NO_ORDERS,
) -> tuple[list[Row], list[Row]]:
    """The ``top`` costliest rows (None: all) and the rest; equal ones stay in their order.

    ``sort`` names one of ``orders`` to rank them by instead.
    """
    ranked = in_order(rows, sort, orders, cost)
    shown = len(ranked) if top is None else max(top, 0)
    return ranked[:shown], ranked[shown:]


def less_alike(
    ranked: Sequence[Row], kind: Callable[[Row], object], top: int | None
) -> tuple[list[Row], list[Row]]:
    """The ``top`` rows (None: all) of some that are in order, and the rest; of more rows than
    that, ``MOST_ALIKE`` of a kind: forty idle threads do not hide the one that works."""
    if top is None or len(ranked) <= top:
        return [*ranked], []
    count = Counter[object]()
    shown: list[Row] = []
    rest: list[Row] = []
    for row in ranked:
        count[kind(row)] += 1
        (shown if count[kind(row)] <= MOST_ALIKE else rest).append(row)
    return shown[:top], [*shown[top:], *rest]


def more(rest: Sequence[Row], cost: Callable[[Row], int], of: str = "wait") -> str:
    """``… and 12 more (1.24 s of wait)``; nothing when nothing is left."""
    if not rest:
        return ""
    return f"… and {units.format_count(len(rest))} more ({_of(sum(map(cost, rest)), of)})"


def _of(nanoseconds: int, what: str) -> str:
    return f"{units.format_duration(nanoseconds)} of {what}" if nanoseconds else f"no {what}"

# SPDX-License-Identifier: Apache-2.0
"""What the reader asked for: how wide, how many rows, in which order, which columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")
Key = Callable[[Row], "int | float | str"]


@dataclass(frozen=True, slots=True)
class ColumnOrder(Generic[Row]):
    """What rows are sorted by, and the column's meaning as docs/reading-a-report.md gives it.

    Figures: the biggest first; texts: by alphabet.
    """

    key: Key[Row]
    meaning: str


Orders = Mapping[str, ColumnOrder[Row]]
"""By the title of a column."""

NO_ORDERS: Mapping[str, ColumnOrder[Any]] = {}

DEFAULT_WIDTH = 80


@dataclass(frozen=True, slots=True)
class View:
    """How a report is shown.

    ``width``: terminal columns (of formats that have a width). ``top``: rows a table; 0: all;
    None: the format's own. ``sort``: the title of a column, "" for the order of cost.
    ``columns``: the titles of the columns wanted, () for all. ``color``: with colours, where the
    format has any. ``only``: "verdict" for what each process is and what is wrong with it.
    ``all_frames``: a Python line may be a library's, too. ``by_worker``: requests of each worker
    process, not their sum with the parent.
    """

    width: int = DEFAULT_WIDTH
    top: int | None = None
    sort: str = ""
    columns: tuple[str, ...] = ()
    color: bool = False
    only: str = ""
    all_frames: bool = False
    by_worker: bool = False


def plain_name(title: str) -> str:
    """A column's title as it is compared: ``Asleep-in`` is ``asleep in``."""
    return title.casefold().replace("-", " ").replace("_", " ").strip()


def in_order(rows: Iterable[Row], sort: str, orders: Orders[Row], default: Key[Row]) -> list[Row]:
    """The rows by the column ``sort``, or by ``default`` if they have no such column."""
    keys = {plain_name(title): order.key for title, order in orders.items()}
    key = keys.get(plain_name(sort), default)
    ranked = list(rows)
    textual = any(isinstance(key(row), str) for row in ranked[:1])
    return sorted(ranked, key=key, reverse=not textual)

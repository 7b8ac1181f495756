# SPDX-License-Identifier: Apache-2.0
"""What a page is made of: headings, paragraphs, lists and tables, before any format is chosen.

All texts in here are raw; only ``page`` escapes, once, for the terminal and for the markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from iotrace.output.units import ZERO

# An empty cell, and a zero in a column of figures: the eye finds what is there.
NOTHING = "-"


class Tone(Enum):
    """What a text is to the reader; formats without colours make no difference."""

    PLAIN = "plain"
    STRONG = "strong"
    FAINT = "faint"
    NOTICE = "notice"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Heading:
    """``level`` 1: a process; 2: a table or section of it; 3: below that."""

    level: int
    text: str
    tone: Tone = Tone.STRONG


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Prose. ``cut`` shortens it to one line instead of wrapping it."""

    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list of short texts."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what there is to say about each. ``alarming``: the labels of bad news."""

    pairs: tuple[tuple[str, str], ...]
    alarming: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    ``cells``: each one's forms, from the fullest to the shortest that still tells its point.
    ``least``: the narrowest a text column may be cut to; None: figures, which are never cut.
    ``right``: aligned to the right. ``short``: the title where there is little room.
    ``spare``: may be left out of a table that is too wide, highest number first; 0: never.
    ``keep_end``: cutting keeps the cell's end.
    """

    title: str
    cells: tuple[tuple[str, ...], ...]
    least: int | None
    right: bool
    short: str
    spare: int
    keep_end: bool


def figures(title: str, cells: Iterable[str], *, short: str = "", spare: int = 0) -> Column:
    """A column of numbers, each one formatted by ``units``."""
    return Column(
        title=title,
        cells=tuple((NOTHING if cell == ZERO else cell,) for cell in cells),
        least=None,
        right=True,
        short=short or title,
        spare=spare,
        keep_end=False,
    )


def texts(
    title: str,
    cells: Iterable[str | Sequence[str]],
    *,
    least: int,
    short: str = "",
    right: bool = False,
    keep_end: bool = False,
    spare: int = 0,
) -> Column:
    """A column of texts; a cell with several forms shows the first one that there is room for."""
    return Column(
        title=title,
        cells=tuple((cell,) if isinstance(cell, str) else tuple(cell) for cell in cells),
        least=least,
        right=right,
        short=short or title,
        spare=spare,
        keep_end=keep_end,
    )


@dataclass(frozen=True, slots=True)
class Table:
    """A table with rows. ``more`` tells what was cut off, ``notes`` what is not a column.

    ``legend``: sentences that explain the columns; each is printed once a page.
    """

    title: str
    legend: tuple[str, ...]
    columns: tuple[Column, ...]
    more: str = ""
    notes: tuple[str, ...] = ()


Block = Heading | Paragraph | Items | Facts | Table

# SPDX-License-Identifier: Apache-2.0
"""Lines of styled text, columns of them fitted into a width, and bars. Texts are escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.live.page_rows import Shares
from iotrace.output.text import cut, escape, width

Span = tuple[str, str]
"""A text and its style: "" or a name that ``screen`` knows."""

Line = list[Span]

_GAP = 2

STATES = {
    "cpu": "▆",
    "user": "█",
    "kernel": "▓",
    "copy": "▒",
    "runq": "!",
    "wait": "·",
    "unaccounted": "?",
}
"""State -> the character it is drawn with, in the order of the bar."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``cells``: forms from the fullest to the shortest. ``right``: to the right.

    ``gives``: takes what room is left, and gives what is missing, down to ``least`` columns.
    ``spare``: left out where there is no room, highest first; 0: never.
    """

    title: str
    cells: Sequence[Sequence[str]]
    right: bool = True
    gives: bool = False
    least: int = 0
    spare: int = 0
    style: str = ""
    sorted_by: bool = False


def figures(title: str, cells: Sequence[str], *, spare: int = 0, by: bool = False) -> Column:
    """A column that is never cut."""
    return Column(title, [(cell,) for cell in cells], spare=spare, sorted_by=by)


def texts(title: str, cells: Sequence[Sequence[str]], *, least: int) -> Column:
    """A column that is cut where there is no room."""
    return Column(title, cells, right=False, gives=True, least=least)


def span(text: str, style: str = "") -> Span:
    """Any text, made safe."""
    return escape(text), style


def table(columns: Sequence[Column], room: int) -> list[Line]:
    """A line of titles and a line a row, none longer than ``room``."""
    widths = _widths(columns, room)
    while sum(widths) + _GAP * (len(columns) - 1) > room and any(one.spare for one in columns):
        last = max(columns, key=lambda one: one.spare)
        columns = [one for one in columns if one is not last]
        widths = _widths(columns, room)
    title: Line = []
    for column, wide in zip(columns, widths, strict=True):
        text = _placed(cut(column.title, wide), wide, column.right)
        title += [(text, "sorted" if column.sorted_by else "faint"), (" " * _GAP, "")]
    lines = [title]
    for row in range(len(columns[0].cells)):
        line: Line = []
        for column, wide in zip(columns, widths, strict=True):
            forms = [escape(form) for form in column.cells[row]]
            shown = next((form for form in forms if width(form) <= wide), cut(forms[-1], wide))
            line += [(_placed(shown, wide, column.right), column.style), (" " * _GAP, "")]
        lines.append(line)
    return lines


def _widths(columns: Sequence[Column], room: int) -> list[int]:
    widths = [
        max(width(column.title), *(width(escape(forms[0])) for forms in column.cells), 0)
        for column in columns
    ]
    excess = sum(widths) + _GAP * (len(columns) - 1) - room
    for index, column in enumerate(columns):
        if column.gives and excess > 0:
            given = min(excess, max(0, widths[index] - column.least))
            widths[index] -= given
            excess -= given
    return widths


def _placed(text: str, wide: int, right: bool) -> str:
    blanks = " " * max(0, wide - width(text))
    return blanks + text if right else text + blanks


def bar(shares: Shares, columns: int) -> list[tuple[str, str]]:
    """Text and state, ``columns`` characters in all; by largest remainder, so that they add up.

    Empty where no time has passed.
    """
    parts = {state: getattr(shares, state) * columns for state in STATES}
    cells = {state: int(part) for state, part in parts.items()}
    missing = columns - sum(cells.values()) if any(parts.values()) else 0
    by_remainder = sorted(STATES, key=lambda state: parts[state] - cells[state], reverse=True)
    for state in by_remainder[:missing]:
        cells[state] += 1
    return [(STATES[state] * number, state) for state, number in cells.items() if number]

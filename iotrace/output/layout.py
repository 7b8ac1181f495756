# SPDX-License-Identifier: Apache-2.0
"""Fits a table into a width and draws it with tabulate.

What gives way, in this order, until the table fits: the blanks inside figures and the long
titles, the second blank between columns (our own format only), the length of texts, and at last
whole columns, whose names are returned so that nobody takes them for absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import tabulate
from tabulate import TableFormat

from iotrace.output.blocks import Column
from iotrace.output.markup import Style
from iotrace.output.text import cut, escape, width
from iotrace.output.units import compact

# A cell of a format that has no width: enough for any address, short of a page.
_LONGEST_CELL = 120


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn table and the titles of the columns that it had no room for."""

    text: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Printed:
    """A column in its final words; ``width``: of the widest. It is asked for again and again."""

    title: str
    cells: tuple[str, ...]
    right: bool
    width: int


def _printed(title: str, cells: tuple[str, ...], right: bool) -> _Printed:
    return _Printed(title, cells, right, max(map(width, (title, *cells))))


def draw(columns: tuple[Column, ...], style: Style, columns_wide: int) -> Drawn:
    """Draws the columns in ``columns_wide`` terminal columns (markup: in as many as it takes)."""
    columns = tuple(_escaped(column) for column in columns)
    if style.boundless:
        printed = [_print(column, _LONGEST_CELL) for column in columns]
        return Drawn(_tabulate(printed, style.frames[0], style), ())
    left_out: list[str] = []
    while True:
        fitted = _fit(columns, style, columns_wide)
        spare = max(columns, key=lambda column: column.spare)
        if fitted is not None or spare.spare == 0:
            break
        left_out.append(spare.title)
        columns = tuple(column for column in columns if column is not spare)
    frame, printed = fitted or _least(columns, style)
    return Drawn(_tabulate(printed, frame, style), tuple(left_out))


def _escaped(column: Column) -> Column:
    cells = tuple(tuple(escape(form) for form in forms) for forms in column.cells)
    return replace(column, cells=cells)


_Fit = tuple[str | TableFormat, list[_Printed]]


def _fit(columns: tuple[Column, ...], style: Style, room: int) -> _Fit | None:
    """The roomiest form in which the columns fit; None if there is none."""
    for frame, dense in _attempts(style):
        printed = [_print(column, _LONGEST_CELL, dense=dense) for column in columns]
        if _total(printed, frame) <= room:
            return frame, printed
    frame, dense = _attempts(style)[-1]
    printed = [_print(column, _LONGEST_CELL, dense=dense) for column in columns]
    fitted = _narrowed(columns, printed, _total(printed, frame) - room)
    return (frame, fitted) if fitted is not None else None


def _narrowed(
    columns: tuple[Column, ...], printed: list[_Printed], excess: int
) -> list[_Printed] | None:
    """Takes ``excess`` from the texts; None: they have not that much to give.

    Whoever has shorter forms gives first, then whoever can be cut; of these always the widest.
    The figures are dense by then.
    """
    printed = list(printed)
    shortest = [_shortest(column) for column in columns]
    while excess > 0:
        able = [
            index
            for index, column in enumerate(columns)
            if column.least is not None and printed[index].width > _floor(column)
        ]
        if not able:
            return None
        unhurt = [index for index in able if shortest[index] < printed[index].width]
        index = max(unhurt or able, key=lambda index: printed[index].width)
        before = printed[index].width
        printed[index] = _print(columns[index], before - 1, dense=True)
        excess -= before - printed[index].width
    return printed


def _shortest(column: Column) -> int:
    """Every cell has a form for this width."""
    return max((min(map(width, forms)) for forms in column.cells), default=0)


def _floor(column: Column) -> int:
    return max(column.least or 0, width(column.short))


def _least(columns: tuple[Column, ...], style: Style) -> _Fit:
    """The narrowest form, for a width in which nothing fits."""
    frame, dense = _attempts(style)[-1]
    return frame, [_print(column, _floor(column), dense=dense) for column in columns]


def _attempts(style: Style) -> list[tuple[str | TableFormat, bool]]:
    """Frames with roomy or dense figures, roomiest first."""
    return [(style.frames[0], False), *((frame, True) for frame in style.frames)]


def _print(column: Column, most: int, *, dense: bool = False) -> _Printed:
    """The column with its texts in ``most`` columns, its figures roomy or dense."""
    if column.least is None:
        cells = tuple(forms[0] for forms in column.cells)
        if dense:
            return _printed(column.short, tuple(compact(cell) for cell in cells), column.right)
        return _printed(column.title, cells, column.right)
    shown = tuple(_shortened(forms, most, column.keep_end) for forms in column.cells)
    return _printed(column.short if dense else column.title, shown, column.right)


def _shortened(forms: tuple[str, ...], most: int, keep_end: bool) -> str:
    for form in forms:
        if width(form) <= most:
            return form
    return cut(forms[-1], most, keep_end=keep_end)


def _total(printed: list[_Printed], frame: str | TableFormat) -> int:
    """The width of the drawn table."""
    widest = [["x" * column.width for column in printed]]
    with _no_title_padding():
        drawn = tabulate.tabulate(
            widest, headers=["x"] * len(printed), tablefmt=frame, disable_numparse=True
        )
    return max(len(line) for line in drawn.splitlines())


def _tabulate(printed: list[_Printed], frame: str | TableFormat, style: Style) -> str:
    rows = [
        [style.cell(style.first(cell) if index == 0 else cell) for index, cell in enumerate(cells)]
        for cells in zip(*(column.cells for column in printed), strict=True)
    ]
    with _no_title_padding():
        return str(
            tabulate.tabulate(
                rows,
                headers=[style.cell(column.title) for column in printed],
                tablefmt=frame,
                disable_numparse=True,
                colalign=["right" if column.right else "left" for column in printed],
            )
        )


@contextmanager
def _no_title_padding() -> Iterator[None]:
    """tabulate makes each column two wider than its title: 20 of our 80 columns, for nothing."""
    before = tabulate.MIN_PADDING
    tabulate.MIN_PADDING = 0
    try:
        yield
    finally:
        tabulate.MIN_PADDING = before

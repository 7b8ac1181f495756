# SPDX-License-Identifier: Apache-2.0
"""The tables of the page: the same as a terminal's, whole, and sortable by a click."""

from __future__ import annotations

from iotrace.output.blocks import Block, Column, Facts, Heading, Items, Paragraph, Table, Tone
from iotrace.output.html.elements import Markup, join, tag


def markup(blocks: list[Block]) -> Markup:
    """Blocks of any kind."""
    return join(*map(_block, blocks))


def _block(block: Block) -> Markup:
    match block:
        case Heading(level, words, tone):
            kind = None if tone is Tone.STRONG else f"tone-{tone.value}"
            return tag(f"h{level + 1}", words, class_=kind)
        case Paragraph(words):
            return tag("p", words)
        case Items(words):
            return tag("ul", *(tag("li", one) for one in words))
        case Facts(pairs, alarming):
            return tag(
                "dl",
                *(
                    join(
                        tag("dt", label),
                        tag("dd", words, class_="tone-alarm" if label in alarming else None),
                    )
                    for label, words in pairs
                ),
            )
        case Table():
            return _table(block)


def _table(table: Table) -> Markup:
    rows = zip(*(column.cells for column in table.columns), strict=True)
    return tag(
        "details",
        tag("summary", table.title),
        *([tag("p", " ".join(table.legend), class_="faint")] if table.legend else []),
        tag(
            "div",
            tag(
                "table",
                tag("thead", tag("tr", *map(_head, table.columns))),
                tag("tbody", *(tag("tr", *_cells(cells, table.columns)) for cells in rows)),
            ),
            class_="scroll",
        ),
        *(tag("p", line) for line in (table.more, *table.notes) if line),
        open="",
    )


def _head(column: Column) -> Markup:
    return tag("th", tag("button", column.title, type="button"), class_=_side(column), scope="col")


def _cells(cells: tuple[tuple[str, ...], ...], columns: tuple[Column, ...]) -> list[Markup]:
    return [
        tag("td", forms[0], class_=_side(column))
        for forms, column in zip(cells, columns, strict=True)
    ]


def _side(column: Column) -> str | None:
    return "right" if column.right else None

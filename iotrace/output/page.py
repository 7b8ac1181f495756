# SPDX-License-Identifier: Apache-2.0
"""Prints blocks in one of the table formats: the one place where texts are escaped and wrapped."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from iotrace.output import layout
from iotrace.output.blocks import Block, Facts, Heading, Items, Paragraph, Table, Tone
from iotrace.output.color import tint, untinted
from iotrace.output.markup import Style, style
from iotrace.output.text import cut, escape, width, wrap

# One line of prose in a format that has no width.
_LONGEST_LINE = 240


def render(blocks: Iterable[Block], *, tablefmt: str, width: int, color: bool = False) -> str:
    """The page as text that ends in a line break.

    ``width``: terminal columns; formats that are markup have none and ignore it.
    ``color``: for a terminal that understands ECMA-48; plain text formats only.
    """
    page = _Page(style(tablefmt), width, color)
    for block in blocks:
        page.add(block)
    return page.finished()


class _Page:
    def __init__(self, style: Style, columns: int, color: bool) -> None:
        self._style = style
        self._tint = tint if color and not style.boundless else untinted
        self._columns = columns
        self._legends: set[str] = set()
        self._chunks = [style.opening] if style.opening else []

    def add(self, block: Block) -> None:
        match block:
            case Heading(level, text, tone):
                self._chunks += self._heading(level, text, tone)
            case Paragraph(text, cut):
                self._chunks += self._paragraph(text, cut=cut)
            case Items(texts):
                self._chunks += self._items(texts)
            case Facts(pairs, alarming):
                self._chunks += self._facts(pairs, alarming)
            case Table():
                self._chunks += self._table(block)

    def finished(self) -> str:
        chunks = [*self._chunks, self._style.closing]
        between = "\n\n" if self._style.boundless else "\n"
        return between.join(chunks).strip("\n") + "\n"

    def _heading(self, level: int, text: str, tone: Tone) -> list[str]:
        if self._style.boundless or level == 1:
            lines = [self._style.heading(level, self._one_line(text))]
        else:
            lines = wrap(escape(text), self._columns)
        # Plain text has no space of its own around a heading.
        around = [] if self._style.boundless else [""]
        return [*around, *(self._tint(line, tone) for line in lines)]

    def _paragraph(self, text: str, *, cut: bool = False) -> list[str]:
        if not text:
            return []
        if cut or self._style.boundless:
            line = self._one_line(text) if cut else self._style.text(escape(text))
            return [self._style.paragraph.format(line)]
        return wrap(escape(text), self._columns)

    def _items(self, texts: Sequence[str]) -> list[str]:
        if self._style.boundless:
            items = [self._style.item.format(self._style.text(escape(text))) for text in texts]
            return [self._style.list.format("\n".join(items))] if items else []
        lines = [wrap(escape(text), self._columns, indent="  ", first="- ") for text in texts]
        return [line for item in lines for line in item]

    def _facts(self, pairs: Sequence[tuple[str, str]], alarming: Container[str]) -> list[str]:
        if self._style.boundless:
            return self._items([f"{label}: {text}" for label, text in pairs])
        labels = max((width(escape(label)) for label, _ in pairs), default=0) + 2
        return [
            self._tint(line, Tone.ALARM if label in alarming else Tone.PLAIN)
            for label, text in pairs
            for line in wrap(
                escape(text),
                self._columns,
                indent=" " * labels,
                first=_padded(escape(label), labels),
            )
        ]

    def _table(self, table: Table) -> list[str]:
        drawn = layout.draw(table.columns, self._style, self._columns)
        chunks = self._heading(2, table.title, Tone.STRONG)
        unseen = [sentence for sentence in table.legend if sentence not in self._legends]
        chunks += [self._tint(line, Tone.FAINT) for line in self._paragraph(" ".join(unseen))]
        self._legends.update(unseen)
        chunks.append(drawn.text)
        for line in (table.more, *table.notes):
            chunks += self._paragraph(line)
        if drawn.left_out:
            left_out = f"No room at {self._columns} columns for: {', '.join(drawn.left_out)}."
            chunks += self._paragraph(left_out)
        return chunks

    def _one_line(self, text: str) -> str:
        most = _LONGEST_LINE if self._style.boundless else self._columns
        return self._style.text(cut(escape(text), most))


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))

# SPDX-License-Identifier: Apache-2.0
"""What a heading, a paragraph, a list item and a cell look like in each table format.

The names are tabulate's (``tabulate.tabulate_formats``), and ``table``: our own, for 80 columns.
Formats that are read as plain text keep to the width; markup has no width, its reader wraps it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tabulate import DataRow, Line, TableFormat

from iotrace.output import escaping
from iotrace.output.text import width

DEFAULT = "table"

Escape = Callable[[str], str]
Heading = Callable[[int, str], str]


@dataclass(frozen=True, slots=True)
class Style:
    """One format.

    ``frames``: what tabulate draws with, roomiest first (a table that is too wide takes the next).
    ``text`` escapes prose, ``cell`` a table's cell (as far as tabulate does not), ``first`` a
    row's first cell on top of that. ``heading``, ``paragraph``, ``item`` and ``list`` (of items)
    take escaped text. ``boundless``: has no width.
    """

    frames: tuple[str | TableFormat, ...]
    boundless: bool = True
    text: Escape = escaping.as_is
    cell: Escape = escaping.as_is
    first: Escape = escaping.as_is
    heading: Heading = lambda level, text: text
    item: str = "- {}"
    list: str = "{}"
    paragraph: str = "{}"
    opening: str = ""
    closing: str = ""


def style(name: str) -> Style:
    """The style of one of tabulate's formats, or of ``table``."""
    if name == DEFAULT:
        return Style(frames=(_house("  "), _house(" ")), boundless=False, heading=_underlined)
    make = _MARKUPS.get(name)
    if make is None:
        return Style(frames=(name,), boundless=False, heading=_underlined)
    return make(name)


def _house(gap: str) -> TableFormat:
    return TableFormat(
        lineabove=None,
        linebelowheader=Line("", "─", gap, ""),
        linebetweenrows=None,
        linebelow=None,
        headerrow=DataRow("", gap, ""),
        datarow=DataRow("", gap, ""),
        padding=0,
        with_header_hide=None,
    )


def _underlined(level: int, text: str) -> str:
    """Only a process's heading is underlined; the others stand out by the blank line above."""
    return f"{text}\n{'═' * width(text)}" if level == 1 else text


def _html(name: str) -> Style:
    return Style(
        frames=(name,),
        text=escaping.for_html,
        cell=escaping.as_is if name == "html" else escaping.for_html,
        heading=lambda level, text: f"<h{level}>{text}</h{level}>",
        item="<li>{}</li>",
        list="<ul>\n{}\n</ul>",
        paragraph="<p>{}</p>",
        opening='<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        "<title>iotrace report</title></head>\n<body>",
        closing="</body>\n</html>",
    )


def _latex(name: str) -> Style:
    sections = {1: "section", 2: "subsection", 3: "paragraph"}
    return Style(
        frames=(name,),
        text=escaping.for_latex,
        cell=escaping.for_latex if name == "latex_raw" else escaping.as_is,
        first=escaping.after_latex_row,
        heading=lambda level, text: f"\\{sections[level]}*{{{text}}}",
        item=r"\noindent\textbullet\ {}\par",
        paragraph=r"\noindent {}\par",
    )


def _markdown(name: str) -> Style:
    return Style(
        frames=(name,),
        text=escaping.opening_line(escaping.for_markdown),
        cell=escaping.for_markdown,
        heading=lambda level, text: f"{'#' * (level + 1)} {text}",
    )


def _rst(name: str) -> Style:
    return Style(
        frames=(name,),
        text=escaping.for_rst,
        cell=escaping.for_rst,
        heading=lambda level, text: f"{text}\n{'=-~'[level - 1] * (2 * len(text))}",
    )


def _org(name: str) -> Style:
    return Style(
        frames=(name,),
        text=escaping.for_org,
        cell=escaping.for_org,
        heading=lambda level, text: f"{'*' * level} {text}",
        opening="#+OPTIONS: ^:{}",
    )


def _wiki(heading: str, item: str = "* {}") -> Callable[[str], Style]:
    """``heading`` holds ``{level}``, ``{text}`` and ``{marks}`` (``=`` a level)."""
    return lambda name: Style(
        frames=(name,),
        text=escaping.opening_line(escaping.for_wiki),
        cell=escaping.for_wiki,
        heading=lambda level, text: heading.format(
            level=level + 1, text=text, marks="=" * (level + 1)
        ),
        item=item,
    )


_MARKUPS: dict[str, Callable[[str], Style]] = {
    **dict.fromkeys(("html", "unsafehtml"), _html),
    **dict.fromkeys(("latex", "latex_raw", "latex_booktabs", "latex_longtable"), _latex),
    **dict.fromkeys(("github", "pipe"), _markdown),
    **dict.fromkeys(("mediawiki", "moinmoin"), _wiki("{marks} {text} {marks}", " * {}")),
    **dict.fromkeys(("jira", "textile"), _wiki("h{level}. {text}")),
    "mediawiki": _wiki("{marks} {text} {marks}"),
    "youtrack": _wiki("{marks}{text}{marks}"),
    "asciidoc": _wiki("{marks} {text}"),
    "orgtbl": _org,
    "rst": _rst,
}

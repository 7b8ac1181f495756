# SPDX-License-Identifier: Apache-2.0
"""One function a markup that makes a text mean only itself in it.

The texts come escaped for the terminal (``text.escape``): no line breaks, no control characters.
Where a markup knows HTML's character references (``&#124;``), they are used: unlike a
backslash they cannot be undone by what stands before them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

# Markdown's own marks. ``_`` inside a word, ``:`` and ``.`` elsewhere are read as they stand.
_MARKDOWN = re.compile(r"[\\`*\[\]<>&|#~$!{}@^]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=/)")
_MARKDOWN_LINK = re.compile(r"\bwww\.", re.IGNORECASE)

# For markups with many dialects: only what no dialect gives a meaning stays.
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 .,%\u0080-\U0010ffff]")

_RST = re.compile(r"[\\*`|_:@<>\[\]]")

# What may open a list, a rule, a directive, a block (``h1. ``)... as the first thing of a line.
_OPENING = re.compile(r"[^\w\\&]|\w+[.)](?: |$)")

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}

# Org mode's own escape is the zero width space, where it has no name for the character.
_ORG = re.compile(r"[\\*\[\]{}@:^~=+/$#()&]")
_ORG_NAMES = {"|": r"\vert{}", "<": r"\lt{}", ">": r"\gt{}", "_": r"\under{}"}

# A leading one of these makes a cell a formula (OWASP, "CSV Injection"); the wide forms too.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def as_is(text: str) -> str:
    """For formats without markup."""
    return text


def for_html(text: str) -> str:
    """HTML text and attribute values."""
    return html.escape(text, quote=True)


def opening_line(escape: Callable[[str], str]) -> Callable[[str], str]:
    """The same escape for a text that begins a line, where more has a meaning."""

    def escaped(text: str) -> str:
        safe = escape(text)
        return f"&#{ord(safe[0])};{safe[1:]}" if _OPENING.match(safe) else safe

    return escaped


def for_markdown(text: str) -> str:
    """GitHub's and Pandoc's Markdown, in a table's cell."""
    return _MARKDOWN_LINK.sub(lambda found: found[0][:3] + "&#46;", _references(_MARKDOWN, text))


def for_wiki(text: str) -> str:
    """MediaWiki, MoinMoin, Jira, YouTrack, Textile, AsciiDoc, in a table's cell."""
    return _references(_NOT_PLAIN, text)


def for_rst(text: str) -> str:
    """reStructuredText; a table's cell is parsed as a body of its own there."""
    opening = "\\" if _OPENING.match(text) and not _RST.match(text) else ""
    return opening + _RST.sub(r"\\\g<0>", text)


def for_latex(text: str) -> str:
    """LaTeX text mode."""
    return "".join(_LATEX.get(character, character) for character in text)


def after_latex_row(text: str) -> str:
    r"""A cell that LaTeX would take for the argument of the ``\\`` before it, shown quoted."""
    return f"'{text}" if text.startswith(("[", "*")) else text


def for_org(text: str) -> str:
    """Org mode, where links and inline source run code."""
    opening = "\u200b" if _OPENING.match(text) and text != "-" else ""
    spaced = opening + _ORG.sub("\u200b\\g<0>\u200b", text)
    return "".join(_ORG_NAMES.get(character, character) for character in spaced)


def for_spreadsheet(text: str) -> str:
    """A text cell that no spreadsheet takes for a formula: led by an apostrophe at need."""
    formula = text.lstrip().startswith(_FORMULA) and text != "-"
    return f"'{text}" if formula else text


def _references(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda found: f"&#{ord(found[0])};", text)

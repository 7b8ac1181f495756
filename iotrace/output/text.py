# SPDX-License-Identifier: Apache-2.0
"""Text from traced processes, made safe and fitted for the screen.

A process chooses its own name, arguments and socket paths, so all of it is hostile:
``escape`` leaves nothing in it that moves the cursor, changes colours, reorders or hides text.
Widths are in terminal columns (a CJK character takes two), as tabulate counts them.
"""

from __future__ import annotations

import unicodedata

from wcwidth import wcswidth, wcwidth

ELLIPSIS = "…"

# Marks stacked higher than this paint over the lines above (no script needs more).
_MARKS_PER_CHARACTER = 2


def escape(text: str) -> str:
    r"""Returns ``text`` with everything that does not print as itself made visible.

    Control characters (C0, DEL, C1), line separators, bidirectional overrides, zero-width
    characters and lone surrogates become Python's escapes: ``\n``, ``\x1b``, ``\u202e``,
    ``\udcff``. A backslash is doubled, so that nobody can fake an escape.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    safe: list[str] = []
    marks = _MARKS_PER_CHARACTER
    for character in text:
        if _is_mark(character) and marks < _MARKS_PER_CHARACTER:
            marks += 1
            safe.append(character)
        elif character.isprintable() and character != "\\" and wcwidth(character) > 0:
            marks = 0
            safe.append(character)
        else:
            marks = _MARKS_PER_CHARACTER
            safe.append(character.encode("unicode_escape").decode("ascii"))
    return "".join(safe)


def _is_mark(character: str) -> bool:
    """Whether it is drawn on the character before it (an accent, a vowel sign)."""
    return (
        unicodedata.category(character).startswith("M")
        and wcwidth(character) == 0
        and not unicodedata.name(character, "").startswith("VARIATION SELECTOR")
        and character.isprintable()
    )


def width(text: str) -> int:
    """How many terminal columns an escaped text takes."""
    return len(text) if text.isascii() else wcswidth(text)


def cut(text: str, columns: int, *, keep_end: bool = False) -> str:
    """Cuts an escaped text to ``columns`` at most, an ellipsis standing for what went.

    ``keep_end`` keeps the end instead of the start: a path's or an address's telling part.
    """
    if columns < 1:
        return ""
    if len(text) <= _characters(columns) and width(text) <= columns:
        return text
    if not keep_end:
        return _start(text, columns - 1) + ELLIPSIS
    kept = text[-columns + 1 :] if text.isascii() else text[-_characters(columns) :]
    while kept and (width(kept) > columns - 1 or _is_mark(kept[0])):
        kept = kept[1:]
    return ELLIPSIS + kept


def _characters(columns: int) -> int:
    """So many characters fit at most: none is narrower than a column, but for the marks on it."""
    return columns * (1 + _MARKS_PER_CHARACTER)


def _start(text: str, columns: int) -> str:
    """As much of the text's start as fits."""
    kept = text[: max(0, columns if text.isascii() else _characters(columns))]
    while kept and width(kept) > columns:
        kept = kept[:-1]
    return kept


def wrap(text: str, columns: int, *, indent: str = "", first: str | None = None) -> list[str]:
    """Breaks an escaped text at its spaces into lines of ``columns`` at most.

    ``indent`` leads each line, ``first`` (when given) the first one. A word that is too long for
    a line begins one of its own and is broken at its end.
    """
    lines: list[str] = []
    lead = line = indent if first is None else first
    for word in text.split(" "):
        if line != lead and width(line) + 1 + width(word) <= columns:
            line += f" {word}"
            continue
        if line != lead:
            lines.append(line)
            lead = line = indent
        while word and width(word) > columns - width(line):
            start = _start(word, columns - width(line)) or word[0]
            lines.append(line + start)
            lead = line = indent
            word = word[len(start) :]
        line += word
    return [*lines, line.rstrip()]

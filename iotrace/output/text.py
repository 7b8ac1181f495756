"""Text from traced processes, made safe and fitted for the screen.

A process chooses its own name, arguments and socket paths, so all of it is hostile:
``escape`` leaves nothing in it that moves the cursor, changes colours, reorders or hides text.
Widths are in terminal columns (a CJK character takes two), as tabulate counts them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

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
    return wcswidth(text)


def cut(text: str, columns: int, *, keep_end: bool = False) -> str:
    """Cuts an escaped text to ``columns`` at most, an ellipsis standing for what went.

    ``keep_end`` keeps the end instead of the start: a path's or an address's telling part.
    """
    if columns < 1:
        return ""
    # No character is narrower than one column, but for the marks on it.
    most = (columns + 1) * (1 + _MARKS_PER_CHARACTER)
    if len(text) <= most and width(text) <= columns:
        return text
    kept = text[-most:] if keep_end else text[:most]
    while kept and width(kept) > columns - 1:
        kept = kept[1:] if keep_end else kept[:-1]
    while keep_end and kept and _is_mark(kept[0]):
        kept = kept[1:]
    return ELLIPSIS + kept if keep_end else kept + ELLIPSIS


def wrap(text: str, columns: int, *, indent: str = "", first: str | None = None) -> list[str]:
    """Breaks an escaped text at its spaces into lines of ``columns`` at most.

    ``indent`` leads each line, ``first`` (when given) the first one. A word that is too long for
    a line is broken.
    """
    lines: list[str] = []
    line = indent if first is None else first
    empty = True
    for word in _pieces(text.split(" "), columns - max(width(indent), width(line))):
        if not empty and width(line) + 1 + width(word) > columns:
            lines.append(line)
            line, empty = indent, True
        line += word if empty else " " + word
        empty = False
    return [*lines, line.rstrip()]


def _pieces(words: Iterable[str], columns: int) -> Iterable[str]:
    """Breaks the words that are too long for a line."""
    columns = max(columns, 2)
    for word in words:
        while width(word) > columns:
            size = len(cut(word, columns)) - len(ELLIPSIS)
            yield word[:size]
            word = word[size:]
        if word:
            yield word

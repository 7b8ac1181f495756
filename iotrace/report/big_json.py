# SPDX-License-Identifier: Apache-2.0
"""JSON of others, decoded piece by piece: memory follows what is kept of it, not what it says.

Decoded as a whole, ``[[],[],[],...]`` takes 30 bytes of memory a byte of text. Here a container of
more than 64 KiB is taken apart when it is asked for, so that its reader can refuse its first item;
what is smaller is decoded at once, by the json module. Before that the text is counted through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MOST_BYTES = 32 * 1024 * 1024
"""Of a compressed report's JSON."""
MOST_VALUES = 500_000
"""Texts, lists and objects of one report; keys and numbers are not counted."""
_MOST_NESTED = 64
_MOST_KEYS = 4096

_SMALL = 64 * 1024
_MARK = re.compile(r'["\[\]{}]')
_GAP = re.compile(r"[ \t\n\r]*")
_NEXT = re.compile(r"[ \t\n\r]*([,\]}])[ \t\n\r]*")
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")


class TooLarge(ValueError):
    """The text is JSON, but more of it than is read."""


class LongList:
    """A list that is decoded item by item, each time that it is iterated over.

    Iterating raises ValueError where the text is not JSON.
    """

    def __init__(self, text: _Text, at: int) -> None:
        self._text = text
        self._at = at

    def __iter__(self) -> Iterator[Any]:
        at = self._text.after_gap(self._at + 1)
        while True:  # it is long: it has an item
            value, at = self._text.value(at)
            yield value
            mark, at = self._text.after_item(at, "]")
            if mark == "]":
                return


def parse(text: str | bytes) -> Any:
    """The text's value, in which a long list is a ``LongList``.

    Raises ValueError where it is not JSON, TooLarge where it is too much.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    at = _gap(text, 0)
    if text[at : at + 1] not in ("{", "["):
        return _DECODER.decode(text)  # no container: nothing that grows
    marked = _Text(text, _long_containers(text))
    value, at = marked.value(at)
    at = _gap(text, at)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)
    return value


class _Text:
    """``long``: where a container of more than 64 KiB begins -> behind its end."""

    def __init__(self, text: str, long: dict[int, int]) -> None:
        self._text = text
        self._long = long

    def after_gap(self, at: int) -> int:
        return _gap(self._text, at)

    def value(self, at: int) -> tuple[Any, int]:
        """The value that begins there, and where it ends."""
        end = self._long.get(at)
        if end is None:
            value: tuple[Any, int] = _DECODER.raw_decode(self._text, at)
            return value
        if self._text[at] == "[":
            return LongList(self, at), end
        return self._object(at), end

    def after_item(self, at: int, closing: str) -> tuple[str, int]:
        """The comma or the closing bracket behind an item, and what comes after it."""
        found = _NEXT.match(self._text, at)
        if found is None or found[1] not in (",", closing):
            raise json.JSONDecodeError("Expecting ',' delimiter", self._text, at)
        return found[1], found.end()

    def _object(self, at: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        at = self.after_gap(at + 1)
        while True:
            if self._text[at : at + 1] != '"':
                message = "Expecting property name enclosed in double quotes"
                raise json.JSONDecodeError(message, self._text, at)
            key, at = _DECODER.raw_decode(self._text, at)
            colon = _COLON.match(self._text, at)
            if colon is None:
                raise json.JSONDecodeError("Expecting ':' delimiter", self._text, at)
            items[key], at = self.value(colon.end())
            if len(items) > _MOST_KEYS:
                raise TooLarge(f"an object has more than {_MOST_KEYS:,} keys")
            mark, at = self.after_item(at, "}")
            if mark == "}":
                return items


def _long_containers(text: str) -> dict[int, int]:
    """Raises TooLarge, and ValueError for a text that ends too early."""
    long: dict[int, int] = {}
    open_at: list[int] = []
    values = at = 0
    search = _MARK.search
    while found := search(text, at):
        begin = found.start()
        mark = text[begin]
        at = begin + 1
        if mark == '"':
            at = _string_end(text, at)
            values += text[at : at + 1] != ":"
        elif mark in "[{":
            values += 1
            open_at.append(begin)
            if len(open_at) > _MOST_NESTED:
                raise TooLarge(f"it nests more than {_MOST_NESTED} lists and objects")
        else:
            if not open_at:
                raise json.JSONDecodeError("Extra data", text, begin)
            began = open_at.pop()
            if at - began > _SMALL:
                long[began] = at
        if values > MOST_VALUES:
            raise TooLarge(f"it holds more than {MOST_VALUES:,} texts, lists and objects")
    if open_at:
        raise json.JSONDecodeError("A bracket is not closed", text, open_at[-1])
    return long


def _string_end(text: str, at: int) -> int:
    """Behind the quote that ends the string whose first character is at ``at``."""
    begin = at
    while (quote := text.find('"', at)) >= 0:
        escapes = quote
        while escapes > begin and text[escapes - 1] == "\\":
            escapes -= 1
        if (quote - escapes) % 2 == 0:
            return quote + 1
        at = begin = quote + 1
    raise json.JSONDecodeError("Unterminated string starting at", text, begin - 1)


def _gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return found.end() if found else at


def _not_json(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_not_json)

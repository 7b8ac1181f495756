# SPDX-License-Identifier: Apache-2.0
"""From an instruction to its line: the tables that code objects carry.

3.9: Objects/lnotab_notes.txt; 3.10: PEP 626, the same file; 3.11 on: Objects/locations.md.
The tables are read from foreign memory: they may end anywhere and say anything. The memory of a
code object that was freed since is another one's: what is no table is told by its form.
"""

from __future__ import annotations

_NO_LINE_3_10 = -128
_LONG, _NO_COLUMNS, _NOTHING = 14, 13, 15
_ONE_LINE_FIRST = 10
_BEGINS_ENTRY = 0x80
_LONGEST_VARINT = 36
"""Bits of it: a C int, in pieces of six."""


class NoTable(ValueError):
    """It ends before the instruction, or is not a table of lines at all."""


def line_3_9(table: bytes, first_line: int, offset: int) -> int | None:
    """The line of the instruction at byte ``offset``; ``table``: ``co_lnotab``."""
    line, at = first_line, 0
    for place in range(0, len(table) - 1, 2):
        at += table[place]
        if at > offset:
            break
        line += _signed(table[place + 1])
    return line


def line_3_10(table: bytes, first_line: int, offset: int) -> int | None:
    """The same for ``co_linetable`` of 3.10; None: an instruction of no line. Raises NoTable."""
    line, end = first_line, 0
    for place in range(0, len(table) - 1, 2):
        end += table[place]
        step = _signed(table[place + 1])
        if step != _NO_LINE_3_10:
            line += step
        if offset < end:
            return None if step == _NO_LINE_3_10 else line
    raise NoTable


def line_3_11(table: bytes, first_line: int, offset: int) -> int | None:
    """The same for ``co_linetable`` of 3.11 and later. Raises NoTable."""
    line, end, place = first_line, 0, 0
    while place < len(table):
        head = table[place]
        if not head & _BEGINS_ENTRY:
            raise NoTable
        kind, units = head >> 3 & 15, (head & 7) + 1
        place += 1
        if kind in (_LONG, _NO_COLUMNS):
            step, place = _signed_varint(table, place)
            line += step
            for _ in range(3 if kind == _LONG else 0):
                _, place = _varint(table, place)
        elif kind == _NOTHING:
            pass
        elif kind >= _ONE_LINE_FIRST:
            line += kind - _ONE_LINE_FIRST
            place += 2
        else:
            place += 1
        end += 2 * units
        if offset < end:
            return None if kind == _NOTHING else line
    raise NoTable


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _varint(table: bytes, place: int) -> tuple[int, int]:
    """(number, place after it); six bits a byte, the seventh says that more follow, and the
    eighth is for the first byte of an entry."""
    number = shift = 0
    while place < len(table) and shift < _LONGEST_VARINT:
        byte = table[place]
        if byte & _BEGINS_ENTRY:
            break
        place += 1
        number |= (byte & 63) << shift
        shift += 6
        if not byte & 64:
            return number, place
    raise NoTable


def _signed_varint(table: bytes, place: int) -> tuple[int, int]:
    number, place = _varint(table, place)
    return (-(number >> 1) if number & 1 else number >> 1), place

# SPDX-License-Identifier: Apache-2.0
"""Code objects in foreign memory: which function, which file, which lines."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from iotrace.pystack import linetable
from iotrace.pystack.memory import Memory, Unreadable, read_u32, read_u64
from iotrace.pystack.offsets import CODE_BYTES, Offsets

_TEXT_BYTES = 4096
_TABLE_BYTES = 1 << 18
_LEAST_TABLE_BYTES = 960
_ENCODINGS = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}
# CO_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR: Include/cpython/code.h
_SUSPENDING = 0x20 | 0x80 | 0x100 | 0x200
_LINES = range(1 << 31)
"""A C int, in CPython: co_firstlineno."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code object. ``flags``: CO_GENERATOR and others. ``checksum`` tells whether
    another one lies at its address by now; not whether it was freed."""

    function: str
    file: str
    first_line: int
    flags: int
    table: bytes
    checksum: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a Python program; ``line`` None: nobody can tell."""

    function: str
    file: str
    line: int | None
    suspends: bool


def read_checksum(memory: Memory, offsets: Offsets, address: int) -> bytes:
    """First line, flags, and the pointers of the code object at an address. Raises Unreadable."""
    return _checksum(memory.read(address, CODE_BYTES), offsets)


def _checksum(raw: bytes, offsets: Offsets) -> bytes:
    numbers = (offsets.code_flags, offsets.code_first_line)
    pointers = (offsets.code_file, offsets.code_name, offsets.code_linetable)
    return b"".join([raw[at : at + 4] for at in numbers] + [raw[at : at + 8] for at in pointers])


def read_code(memory: Memory, offsets: Offsets, address: int) -> Code:
    """The code object at an address. Raises Unreadable where there is none."""
    raw = memory.read(address, CODE_BYTES)
    first_line, flags = _u32(raw, offsets.code_first_line), _u32(raw, offsets.code_flags)
    return Code(
        function=_read_text(memory, offsets, _u64(raw, offsets.code_name)),
        file=_read_text(memory, offsets, _u64(raw, offsets.code_file)),
        first_line=first_line,
        flags=flags,
        table=_read_bytes(memory, offsets, _u64(raw, offsets.code_linetable)),
        checksum=_checksum(raw, offsets),
    )


def frame_at(offsets: Offsets, code: Code, address: int, instruction: int) -> Frame:
    """The frame of a code object at ``address``; ``instruction`` as the frame has it."""
    suspends = bool(code.flags & _SUSPENDING)
    try:
        line = _line(offsets, code, address, instruction)
    except linetable.NoTable:
        return Frame(code.function, code.file, None, suspends)
    # What the compiler puts before the first line (closures' cells, say) belongs to the function's.
    line = line or code.first_line
    return Frame(code.function, code.file, line if line in _LINES else None, suspends)


def _line(offsets: Offsets, code: Code, address: int, instruction: int) -> int | None:
    if offsets.instruction_bytes:
        # An int; -1 before the first instruction.
        index = instruction & 0xFFFFFFFF
        index = 0 if index >> 31 else index
        find = linetable.line_3_9 if offsets.instruction_bytes == 1 else linetable.line_3_10
        return find(code.table, code.first_line, index * offsets.instruction_bytes)
    offset = instruction - address - offsets.code_instructions
    # Before its first instruction a frame of 3.11 points to the word before it.
    return linetable.line_3_11(code.table, code.first_line, max(0, offset))


def _read_text(memory: Memory, offsets: Offsets, address: int) -> str:
    """A str object: PEP 393."""
    length = read_u64(memory, address + offsets.text_length)
    state = read_u32(memory, address + offsets.text_state) >> offsets.text_kind_shift
    kind, compact, ascii_only = state & 7, state >> 3 & 1, state >> 4 & 1
    if not compact or kind not in _ENCODINGS or length * kind > _TEXT_BYTES:
        raise Unreadable(f"no text at {address:#x}")
    if not length:
        return ""
    if ascii_only:
        return memory.read(address + offsets.text_data, length).decode("latin-1")
    # PyCompactUnicodeObject: utf8_length and utf8 follow, before 3.12 wstr_length as well.
    data = offsets.text_data + offsets.text_wide_bytes
    return memory.read(address + data, length * kind).decode(_ENCODINGS[kind], "replace")


def _read_bytes(memory: Memory, offsets: Offsets, address: int) -> bytes:
    """A bytes object."""
    size = read_u64(memory, address + offsets.bytes_size)
    if size > _TABLE_BYTES:
        raise Unreadable(f"no line table at {address:#x}")
    try:
        return memory.read(address + offsets.bytes_data, size) if size else b""
    except Unreadable:
        # The probes keep the beginning alone. Not in 3.9: its tables don't tell where they end.
        if offsets.instruction_bytes == 1 or size <= _LEAST_TABLE_BYTES:
            raise
        return memory.read(address + offsets.bytes_data, _LEAST_TABLE_BYTES)


def _u32(raw: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", raw, at)[0])


def _u64(raw: bytes, at: int) -> int:
    return int(struct.unpack_from("<Q", raw, at)[0])

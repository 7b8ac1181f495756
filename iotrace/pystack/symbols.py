# SPDX-License-Identifier: Apache-2.0
"""Names for raw frames: each code object is read once, and again when its address was reused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from iotrace.pystack.code_objects import Code, Frame, frame_at, read_checksum, read_code
from iotrace.pystack.memory import Memory, Unreadable, read_u64
from iotrace.pystack.offsets import Offsets
from iotrace.pystack.walk import RawFrame

_KEPT = 65536
_DECODED_BYTES = 1 << 24
"""Of line tables of one process, some seconds' work: a program that makes up code objects with
endless tables must not keep us busy for good. Large servers need a quarter of it."""
_CODE_BYTES = 1 << 24
"""Of code objects of one process that are kept; large servers have 5 MB of them."""
_TEXT_LENGTH = 1 << 21
"""Of the names in frames of one process, in characters: 20,000 frames of an honest program."""
_FUNCTION_LENGTH, _FILE_LENGTH = 256, 1024
UNKNOWN = Frame("?", "?", None, False)
"""A frame whose code object is gone, or never was one."""


class Pieces:
    """Memory of which only some pieces were kept, by address."""

    def __init__(self, pieces: Mapping[int, bytes]) -> None:
        self._pieces = pieces

    def read(self, address: int, size: int) -> bytes:
        """Exactly ``size`` bytes. Raises Unreadable."""
        for start, piece in self._pieces.items():
            if start <= address and address + size <= start + len(piece):
                return piece[address - start : address - start + size]
        raise Unreadable(f"{address:#x} was not kept")


class Symbols:
    """The code objects of one process; ``memory`` None: it is gone already. ``code_type``: of
    their type, which tells them from what may lie there after them."""

    def __init__(
        self, offsets: Offsets, memory: Memory | None, code_type: int | None = None
    ) -> None:
        self._offsets = offsets
        self._code_type = code_type
        self._memory = memory
        self._codes: dict[int, Code] = {}
        self._frames: dict[tuple[RawFrame, bytes], Frame] = {}
        self._left_bytes = _DECODED_BYTES
        self._left_text = _TEXT_LENGTH
        self._code_bytes = 0

    def learn(self, address: int, pieces: Mapping[int, bytes]) -> None:
        """A code object as it was when it was first seen; what is there now may be another, or
        what is left of it after it was freed."""
        pieced = Pieces(pieces)
        kept = _read(pieced, self._offsets, address)
        now = _read(self._memory, self._offsets, address) if self._memory else None
        # As it is now it is read in full; the pieces are cut off somewhere.
        if now and (_continues(now, kept) if kept else self._is_that(now, pieced, address)):
            kept = now
        if kept:
            self._keep(address, kept)

    def _is_that(self, code: Code, pieced: Pieces, address: int) -> bool:
        """For one whose name is longer than the pieces."""
        try:
            return code.checksum == read_checksum(pieced, self._offsets, address)
        except Unreadable:
            return False

    def name(self, frames: Iterable[RawFrame]) -> tuple[Frame, ...]:
        """The frames with their names, shims left out; UNKNOWN where nothing can be read.

        Lines are None once so many tables were read as no honest program has; beyond as much text
        as none has, all are UNKNOWN.
        """
        return tuple(self._frame(raw) for raw in frames if raw.code)

    def _frame(self, raw: RawFrame) -> Frame:
        code = self._code(raw.code)
        if code is None:
            return UNKNOWN
        key = raw, code.checksum
        if key not in self._frames:
            if len(self._frames) >= _KEPT:
                self._frames.clear()
            self._left_bytes -= len(code.table)
            short = code if self._left_bytes >= 0 else replace(code, table=b"")
            frame = frame_at(self._offsets, short, raw.code, raw.instruction)
            frame = self._bounded(frame)
            self._frames[key] = frame if short is code else replace(frame, line=None)
        return self._frames[key]

    def _bounded(self, frame: Frame) -> Frame:
        function = _shortened(frame.function, _FUNCTION_LENGTH)
        file = _shortened(frame.file, _FILE_LENGTH)
        self._left_text -= len(function) + len(file)
        return replace(frame, function=function, file=file) if self._left_text >= 0 else UNKNOWN

    def _code(self, address: int) -> Code | None:
        known = self._codes.get(address)
        if self._memory is None:
            return known
        try:
            if known and known.checksum == read_checksum(self._memory, self._offsets, address):
                return known
            if known and not self._is_code(self._memory, address):
                return known  # it was freed since
            return self._keep(address, read_code(self._memory, self._offsets, address))
        except (Unreadable, ValueError):
            return known

    def _is_code(self, memory: Memory, address: int) -> bool:
        at = address + self._offsets.object_type
        return self._code_type in (None, read_u64(memory, at))

    def _keep(self, address: int, code: Code) -> Code:
        size = len(code.table) + len(code.function) + len(code.file)
        if len(self._codes) >= _KEPT or self._code_bytes + size > _CODE_BYTES:
            self._codes.clear()
            self._code_bytes = 0
        self._codes[address] = code
        self._code_bytes += size
        return code


def _read(memory: Memory, offsets: Offsets, address: int) -> Code | None:
    try:
        return read_code(memory, offsets, address)
    except (Unreadable, ValueError):
        return None


def _continues(now: Code, kept: Code) -> bool:
    """Whether a code object is the same as before, when perhaps only a part of it was kept."""
    same = (now.checksum, now.function, now.file) == (kept.checksum, kept.function, kept.file)
    return same and now.table.startswith(kept.table)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."

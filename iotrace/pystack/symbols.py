"""Names for raw frames: each code object is read once, and again when its address was reused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from iotrace.pystack.code_objects import Code, Frame, frame_at, read_checksum, read_code
from iotrace.pystack.memory import Memory, Unreadable
from iotrace.pystack.offsets import Offsets
from iotrace.pystack.walk import RawFrame

_KEPT = 65536
_DECODED_BYTES = 1 << 24
"""Of line tables of one process, some seconds' work: a program that makes up code objects with
endless tables must not keep us busy for good. Large servers need a quarter of it."""
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
    """The code objects of one process; ``memory`` None: it is gone already."""

    def __init__(self, offsets: Offsets, memory: Memory | None) -> None:
        self._offsets = offsets
        self._memory = memory
        self._codes: dict[int, Code] = {}
        self._frames: dict[tuple[RawFrame, int], Frame] = {}
        self._left_bytes = _DECODED_BYTES

    def learn(self, address: int, pieces: Mapping[int, bytes]) -> None:
        """A code object as it was when it was first seen; what is there now may be another."""
        kept = Pieces(pieces)
        try:
            checksum = read_checksum(kept, self._offsets, address)
            if self._memory and read_checksum(self._memory, self._offsets, address) == checksum:
                # All of it, however long: the pieces are cut off somewhere.
                self._codes[address] = read_code(self._memory, self._offsets, address)
                return
        except (Unreadable, ValueError):
            pass
        try:
            self._codes[address] = read_code(kept, self._offsets, address)
        except (Unreadable, ValueError):
            return

    def name(self, frames: Iterable[RawFrame]) -> tuple[Frame, ...]:
        """The frames with their names, shims left out; UNKNOWN where nothing can be read.

        Lines are None once so many tables were read as no honest program has.
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
            self._frames[key] = frame if short is code else replace(frame, line=None)
        return self._frames[key]

    def _code(self, address: int) -> Code | None:
        known = self._codes.get(address)
        if self._memory is None:
            return known
        try:
            if known and known.checksum == read_checksum(self._memory, self._offsets, address):
                return known
            if len(self._codes) >= _KEPT:
                self._codes.clear()
            self._codes[address] = read_code(self._memory, self._offsets, address)
        except (Unreadable, ValueError):
            return known
        return self._codes[address]

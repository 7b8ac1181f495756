"""Names for raw frames: each code object is read once, and again when its address was reused."""

from __future__ import annotations

from collections.abc import Iterable

from iotrace.pystack.code import Code, Frame, frame_at, read_checksum, read_code
from iotrace.pystack.memory import Memory, Unreadable
from iotrace.pystack.offsets import Offsets
from iotrace.pystack.walk import RawFrame

_KEPT = 65536
UNKNOWN = Frame("?", "?", None, False)
"""A frame whose code object is gone, or never was one."""


class Symbols:
    """The code objects of one process (or of a family of forks, which share their addresses)."""

    def __init__(self, offsets: Offsets) -> None:
        self._offsets = offsets
        self._codes: dict[int, Code] = {}

    def name(self, memory: Memory, frames: Iterable[RawFrame]) -> tuple[Frame, ...]:
        """The frames with their names; UNKNOWN where nothing can be read any more."""
        return tuple(self._frame(memory, raw) for raw in frames)

    def _frame(self, memory: Memory, raw: RawFrame) -> Frame:
        code = self._code(memory, raw.code)
        if code is None:
            return UNKNOWN
        return frame_at(self._offsets, code, raw.code, raw.instruction)

    def _code(self, memory: Memory, address: int) -> Code | None:
        known = self._codes.get(address)
        try:
            if known and known.checksum == read_checksum(memory, self._offsets, address):
                return known
            if len(self._codes) >= _KEPT:
                self._codes.clear()
            self._codes[address] = read_code(memory, self._offsets, address)
        except (Unreadable, ValueError):
            return known
        return self._codes[address]

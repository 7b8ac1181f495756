# SPDX-License-Identifier: Apache-2.0
"""Frames of coroutines and generators that are not running: where they stopped, what they await."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from iotrace.asyncio_tasks.bulk_memory import BulkMemory, Piece, read_words
from iotrace.asyncio_tasks.object_layout import AWAITING, CREATED, RUNNING, SUSPENDED, Layout
from iotrace.asyncio_tasks.objects import word_at
from iotrace.pystack.memory import Unreadable
from iotrace.pystack.walk import RawFrame

_WORDS = 24
"""Locals and stack that are read with the frame; what is beyond is read by itself."""
_MOST_WORDS = 1 << 16
_TAGGED_INT = 3
_RESUME_BYTES = 2
_AFTER_YIELD_FROM = 2
_word = struct.Struct("<Q").unpack_from


class SuspendedFrame(NamedTuple):
    """``awaited``: the address of what it awaits, 0: nothing. ``locals_at``: of its variables.
    ``first``: the first of those, 0: none.

    ``piece`` is its memory from its state to the top of its stack, and ``digest`` a hash of that:
    the same later, if it has not gone on since.
    """

    raw: RawFrame
    state: str
    awaited: int
    locals_at: int
    first: int
    piece: Piece
    digest: int


class FrameReader:
    """Reads the frames of many generators at once."""

    def __init__(self, memory: BulkMemory, layout: Layout) -> None:
        self._memory = memory
        self._layout = layout
        self._raws: dict[tuple[int, int], RawFrame] = {}
        self._resumes: dict[int, bool] = {}
        """Instruction -> whether it is an await."""
        self._first = 24 if layout.far_frame else min(layout.frame_state, layout.frame)
        """The part of a frame that is of no interest ends here: its count of references."""
        base = 0 if layout.far_frame else layout.frame
        self._base = base
        self._states = [layout.states.get(byte) for byte in range(256)]
        self._top_at = base + layout.stack_top
        self._code_at = base + layout.offsets.frame_code
        self._instruction_at = base + layout.offsets.frame_instruction
        self._locals_at = base + layout.frame_locals

    def read(self, generators: Sequence[int]) -> list[SuspendedFrame | None]:
        """The frame of each generator (coroutine, async generator); None: it has none."""
        starts = self._starts(generators)
        head = self._layout.frame_locals + (0 if self._layout.far_frame else self._layout.frame)
        raws = self._memory.read_many([(at or 1, head + 8 * _WORDS) for at in starts])
        # At the end of a mapping there may be less.
        short = [i for i, raw in enumerate(raws) if raw is None and starts[i]]
        again = self._memory.read_many([(starts[i] or 1, head) for i in short])
        for i, raw in zip(short, again, strict=True):
            raws[i] = raw
        found: list[SuspendedFrame | None] = []
        for at, raw in zip(starts, raws, strict=True):
            try:
                found.append(None if raw is None or not at else self._frame(at, raw))
            except (Unreadable, struct.error):
                found.append(None)
        return found

    def _starts(self, generators: Sequence[int]) -> list[int]:
        if not self._layout.far_frame:
            return list(generators)
        at = self._layout.frame
        return list(read_words(self._memory, [one + at for one in generators]))

    def _frame(self, start: int, raw: bytes) -> SuspendedFrame | None:
        """``raw``: from a generator, or a far frame, on. Most of a look at many tasks is spent here
        and in what it calls."""
        layout, locals_at = self._layout, self._locals_at
        code = _word(raw, self._code_at)[0] & ~layout.offsets.code_tags
        instruction = _word(raw, self._instruction_at)[0]
        if layout.far_frame:
            instruction &= 0xFFFFFFFF
        state = self._states[raw[layout.frame_state]]
        if layout.version == (3, 9) and state == AWAITING and instruction >> 31:
            state = CREATED
        if state is None or not code:
            return None
        top = (
            self._counted_top(start, raw)
            if layout.counted_stack
            else (_word(raw, self._top_at)[0] - start)
        )
        if not 0 <= top - locals_at <= 8 * _MOST_WORDS:
            top = locals_at
        awaited = 0
        if state == AWAITING:
            awaited = self._awaited(start, raw, locals_at, top)
            if not awaited or not self._awaits(instruction):
                state, awaited = SUSPENDED, 0
        end = locals_at if state == RUNNING else min(top, len(raw))
        return SuspendedFrame(
            self._raw(code, instruction),
            state,
            awaited,
            start + locals_at,
            _word(raw, locals_at)[0] & ~layout.offsets.code_tags if end >= locals_at + 8 else 0,
            (start + self._first, end - self._first),
            hash(raw[self._first : end]),
        )

    def _raw(self, code: int, instruction: int) -> RawFrame:
        """One for all that are alike: many tasks await in the same place."""
        known = self._raws.get((code, instruction))
        if known is None:
            known = self._raws[code, instruction] = RawFrame(code, instruction)
        return known

    def _counted_top(self, start: int, raw: bytes) -> int:
        """The end of a frame's stack, from ``start`` on."""
        words = int(struct.unpack_from("<i", raw, self._top_at)[0])
        if self._layout.value_stack is None:
            return self._locals_at + 8 * words
        return word_at(raw, self._base + self._layout.value_stack) - start + 8 * words

    def _awaited(self, start: int, raw: bytes, locals_at: int, top: int) -> int:
        """The topmost object on its stack: in 3.15 a word that is none may lie above."""
        layout = self._layout
        if layout.version == (3, 9) and top <= word_at(raw, layout.value_stack or 0) - start:
            return 0
        for at in (top - 8, top - 16):
            if at < locals_at:
                return 0
            if at + 8 <= len(raw):
                word = _word(raw, at)[0]
            else:
                word = word_at(self._memory.read(start + at, 8), 0)
            is_none = layout.offsets.code_tags and (
                word & 3 == _TAGGED_INT or not word & ~layout.offsets.code_tags
            )
            if not is_none:
                return int(word & ~layout.offsets.code_tags)
            if layout.version < (3, 15):
                return 0
        return 0

    def _awaits(self, instruction: int) -> bool:
        """Whether it stopped in an await, not in a yield: before 3.13 no state tells."""
        if not self._layout.resume_tells:
            return True
        known = self._resumes.get(instruction)
        if known is None:
            following = self._memory.read(instruction + 2, _RESUME_BYTES)
            known = self._resumes[instruction] = following[1] >= _AFTER_YIELD_FROM
        return known

"""Foreign memory may hold anything: no crash, no endless walk, no endless read."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from iotrace.pystack.described import read_described
from iotrace.pystack.linetable import NoTable, line_3_9, line_3_10, line_3_11
from iotrace.pystack.memory import Memory, Unreadable
from iotrace.pystack.offsets import TABLES, Offsets, described_offsets
from iotrace.pystack.runtime import MAX_INTERPRETERS, MAX_THREADS, Runtime
from iotrace.pystack.symbols import Symbols
from iotrace.pystack.walk import MAX_DEPTH, RawFrame, walk_thread

_START = 0x1000


class Garbage:
    """Random bytes in which a fair share of the words are addresses inside."""

    def __init__(self, seed: int, size: int = 1 << 16) -> None:
        dice = random.Random(seed)
        words = []
        for _ in range(size // 8):
            kind = dice.randrange(4)
            if kind == 0:
                words.append(dice.getrandbits(64))
            elif kind == 1:
                words.append(dice.randrange(200))
            else:
                words.append(_START + 72 * dice.randrange(size // 72))
        for at in range(0, size // 8 - 8, 9):
            # The head of a str (or of a bytes) object, now and then a sound one.
            words[at + 2] = dice.randrange(99) if at % 2 else dice.getrandbits(dice.randrange(64))
            words[at + 4] = dice.choice((1, 2, 4, 7)) << 2 | dice.choice((0x20, 0x60, 0))
        self._bytes = b"".join(word.to_bytes(8, "little") for word in words)
        self.reads = 0

    def read(self, address: int, size: int) -> bytes:
        self.reads += 1
        assert size < 1 << 20
        at = address - _START
        if at < 0 or at + size > len(self._bytes):
            raise Unreadable("outside")
        return self._bytes[at : at + size]


class Everywhere:
    """The same bytes at every address: each pointer leads to itself."""

    def __init__(self, word: int) -> None:
        self._word = word.to_bytes(8, "little")

    def read(self, address: int, size: int) -> bytes:
        assert size < 1 << 20
        return (self._word * (size // 8 + 1))[:size]


@pytest.mark.parametrize("offsets", TABLES.values(), ids=lambda o: str(o.thread_ident))
def test_garbage_is_survived(offsets: Offsets) -> None:
    named = 0
    for seed in range(53):
        memory = Garbage(seed)
        dice = random.Random(seed)
        runtime = Runtime(_START + 8 * dice.randrange(1000), offsets, None)
        states = list(runtime.thread_states(memory))
        assert len(states) <= MAX_THREADS
        assert len(runtime.gils(memory)) <= MAX_INTERPRETERS
        symbols = Symbols(offsets, memory)
        for _ in range(11):
            frames = walk_thread(memory, offsets, _START + 8 * dice.randrange(8000))
            assert len(frames) <= MAX_DEPTH
            for frame in symbols.name(frames):
                named += frame.file != "?"
        for _ in range(101):
            address = _START + 8 * dice.randrange(8000)
            frame = RawFrame(address, address + dice.randrange(999))
            named += symbols.name((frame,))[0].file != "?"
    assert named  # else the garbage was too plain to try anything


@pytest.mark.parametrize("word", [0, 1, 8, 97, 0x1000, 0x7FFFFFFFF000, (1 << 64) - 1])
@pytest.mark.parametrize("offsets", TABLES.values(), ids=lambda o: str(o.thread_ident))
def test_rings_end(word: int, offsets: Offsets) -> None:
    memory: Memory = Everywhere(word)
    runtime = Runtime(0x1000, offsets, None)
    assert len(list(runtime.thread_states(memory))) <= MAX_THREADS
    frames = walk_thread(memory, offsets, 0x1000)
    assert len(frames) <= MAX_DEPTH
    assert len(Symbols(offsets, memory).name(frames)) == len(frames)


def test_a_build_that_lies_about_itself_gets_no_wild_offsets() -> None:
    for seed in range(101):
        dice = random.Random(seed)
        body = b"xdebugpy" + (0x030D00F0).to_bytes(8, "little") + dice.randbytes(2048)

        class Lies:
            def read(self, address: int, size: int, body: bytes = body) -> bytes:
                return body[:size]

        with pytest.raises(Unreadable):
            described_offsets(read_described(Lies(), 0x1000))


@pytest.mark.parametrize("find", [line_3_9, line_3_10, line_3_11])
def test_random_line_tables_are_survived(find: object) -> None:
    assert callable(find)
    for seed in range(499):
        dice = random.Random(seed)
        table = dice.randbytes(dice.randrange(64))
        with suppress(NoTable):
            line = find(table, dice.getrandbits(31), dice.randrange(200))
            assert line is None or isinstance(line, int)

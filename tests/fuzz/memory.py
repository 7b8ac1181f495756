"""Damaged memory of real interpreters: what walks Python's structures must come to an end.

The memory is that of a program that sleeps in several threads, as far as reading all of it goes.
What is damaged are words that the readers use: lists that run in circles, pointers to nowhere or
into something else, lengths without measure.
"""

from __future__ import annotations

import contextlib
import mmap
import random
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from iotrace.procfs.python import read_python
from iotrace.pystack.described import read_described
from iotrace.pystack.live_check import Live, Mismatch, NothingToSee, check_sizes, check_stacks
from iotrace.pystack.memory import Memory, ProcessMemory, Unreadable, read_u64
from iotrace.pystack.offsets import CODE_BYTES, TABLES, Offsets, described_offsets
from iotrace.pystack.recognition import find_runtime
from iotrace.pystack.runtime import MAX_INTERPRETERS, MAX_THREADS, Runtime
from iotrace.pystack.symbols import Symbols
from iotrace.pystack.walk import (
    MAX_DEPTH,
    Area,
    RawFrame,
    read_areas,
    stack_hash,
    thread_of,
    walk_thread,
)
from tests.interpreters import interpreters
from tests.kernel.python.test_blocked_stacks import blocked

_PAGE = mmap.PAGESIZE
_WALKED = 16
"""Thread states whose stacks are walked, of the thousands that a ring looks like."""
_MOST_READS = MAX_THREADS * 8 + 2 * _WALKED * MAX_DEPTH * 12
_PIECE_BYTES = 256
_WORDS_BYTES = 1024


class Pages:
    """Memory of which some pages are there; ``overlay``: words that are others by now."""

    most_bytes = 1 << 18
    most_reads = _MOST_READS

    def __init__(self, pages: dict[int, bytes], overlay: dict[int, bytes]) -> None:
        self._pages = pages
        self._overlay = overlay
        self.reads = 0

    def read(self, address: int, size: int) -> bytes:
        """Exactly ``size`` bytes. Raises Unreadable."""
        self.reads += 1
        assert 0 <= size <= self.most_bytes, f"{size} bytes wanted"
        assert self.reads <= self.most_reads, "there is no end to it"
        first, last = address // _PAGE, (address + size - 1) // _PAGE
        if not first > 0 or any(page not in self._pages for page in range(first, last + 1)):
            raise Unreadable(f"{address:#x}")
        whole = bytearray().join(self._pages[page] for page in range(first, last + 1))
        for at, word in self._overlay.items():
            start = at - first * _PAGE
            if 0 <= start <= len(whole) - len(word):
                whole[start : start + len(word)] = word
        start = address - first * _PAGE
        return bytes(whole[start : start + size])


class Recorder:
    """A process's memory that remembers what was read."""

    def __init__(self, memory: ProcessMemory) -> None:
        self._memory = memory
        self.pages: dict[int, bytes] = {}
        self.words: dict[int, None] = {}

    def read(self, address: int, size: int) -> bytes:
        """As the memory does."""
        data = self._memory.read(address, size)
        for at in range(address & ~7, address + min(size, _WORDS_BYTES), 8):
            self.words[at] = None
        for page in range(address // _PAGE, (address + size - 1) // _PAGE + 1):
            if page not in self.pages:
                with contextlib.suppress(Unreadable):
                    self.pages[page] = self._memory.read(page * _PAGE, _PAGE)
        return data


@dataclass(frozen=True, slots=True)
class Image:
    """What there is of a process; ``words``: addresses that the readers use; ``live``: None, it
    does not describe itself."""

    pid: int
    runtime: Runtime
    live: Live | None
    areas: tuple[Area, ...]
    pages: dict[int, bytes]
    words: tuple[int, ...]
    values: tuple[int, ...]


def survey(memory: Memory, image: Image, offsets: Offsets) -> int:
    """Read everything as a trace does: how many frames got a name. Raises Unreadable only where
    an interpreter that describes itself says nonsense."""
    if image.live and offsets is image.runtime.offsets:
        described = read_described(memory, image.runtime.address)
        offsets = described_offsets(described)
        with contextlib.suppress(Mismatch, NothingToSee):
            check_sizes(described)
            check_stacks(memory, image.runtime.address, described, offsets, image.live)
    runtime = Runtime(image.runtime.address, offsets, None)
    assert len(runtime.gils(memory)) <= MAX_INTERPRETERS
    states = tuple(runtime.thread_states(memory))
    assert len(states) <= MAX_THREADS
    symbols, kept, named = Symbols(offsets, memory), Symbols(offsets, None), 0
    for state in states[:_WALKED]:
        assert set(thread_of(states, image.pid, True, state.ident - 64, image.areas)) <= {*states}
        frames = walk_thread(memory, offsets, state.address)
        assert len(frames) <= MAX_DEPTH
        assert 0 <= stack_hash(image.pid, frames) < 1 << 64
        for frame in frames[:4]:
            _keep(memory, kept, offsets, frame)
        for frame in (*symbols.name(frames), *kept.name(frames)):
            frame.function.encode("utf-8", "surrogatepass")
            frame.file.encode("utf-8", "surrogatepass")
            assert frame.line is None or isinstance(frame.line, int)
            named += frame.file != "?"
    return named


def _keep(memory: Memory, kept: Symbols, offsets: Offsets, frame: RawFrame) -> None:
    """What the probes keep of a code object: its head, and the beginnings of what it points to."""
    with contextlib.suppress(Unreadable):
        pieces = {frame.code: memory.read(frame.code, CODE_BYTES)}
        for place in (offsets.code_file, offsets.code_name, offsets.code_linetable):
            pointer = read_u64(memory, frame.code + place)
            with contextlib.suppress(Unreadable):
                pieces[pointer] = memory.read(pointer, _PIECE_BYTES)
        kept.learn(frame.code, pieces)


def _capture(python: str) -> Image:
    with blocked(python) as pid:
        build = read_python(pid)
        assert build is not None
        with ProcessMemory(pid) as memory:
            runtime = find_runtime(pid, build, memory)
            recorder = Recorder(memory)
            describes = tuple(map(int, build.version.split(".")[:2])) >= (3, 13)
            live = Live(build.code_type, build.text_type, None) if describes else None
            image = Image(pid, runtime, live, read_areas(pid), {}, (), ())
            assert survey(recorder, image, runtime.offsets) > 10
        words = tuple(recorder.words)
        pages = Pages(recorder.pages, {})
        values = tuple(
            int.from_bytes(pages.read(at, 8), "little")
            for at in words
            if at // _PAGE in recorder.pages
        )
        return Image(
            pid, runtime, live, image.areas, recorder.pages, words,
            tuple(value for value in values if value // _PAGE in recorder.pages),
        )  # fmt: skip


@cache
def images() -> tuple[Image, ...]:
    """One of each interpreter on this machine; all of it is read once more, undamaged."""
    made = tuple(map(_capture, interpreters()))
    for image in made:
        assert survey(Pages(image.pages, {}), image, image.runtime.offsets) > 10
    return made


def read_damaged(data: bytes) -> None:
    """The damage is made from these bytes. Now and then the image is read as another version's."""
    chance = random.Random(zlib.crc32(data))
    image = chance.choice(images())
    overlay = {}
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.choice(image.words) + chance.choice((0, 0, 0, 4))
        overlay[at] = damaged_word(image.words, image.values, at, chance).to_bytes(8, "little")
    other = not chance.randrange(8)
    offsets = chance.choice(tuple(TABLES.values())) if other else image.runtime.offsets
    try:
        survey(Pages(image.pages, overlay), image, offsets)
    except Unreadable:
        raise
    except BaseException:
        # The image is another in each run.
        print(f"overlay {overlay} of {image}, read by {offsets}", file=sys.stderr)
        raise


def damaged_word(
    words: Sequence[int], values: Sequence[int], at: int, chance: random.Random
) -> int:
    """What lies at an address by now; ``words``: addresses that are read, ``values``: addresses
    that lie there."""
    match chance.randrange(8):
        case 0:
            return 0
        case 1:
            return chance.getrandbits(64)
        case 2:
            return 1 << chance.randrange(64)
        case 3:
            return (1 << 64) - 1 - chance.randrange(16)
        case 4:
            return at  # a circle of one
        case 5:
            return chance.choice(words)  # into something else
        case 6:
            return chance.choice(values)  # something else itself: larger circles
        case _:
            return chance.choice(values) + chance.randrange(64)

"""Damaged memory of real event loops: what reads asyncio's tasks must come to an end.

So must it where the interpreter or asyncio lies about where things are (_Py_DebugOffsets,
.AsyncioDebug).
"""

from __future__ import annotations

import random
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from iotrace.asyncio_tasks.bulk_memory import Piece, read_each
from iotrace.asyncio_tasks.debug_section import find_layout, read_section
from iotrace.asyncio_tasks.listing import NoAsyncio
from iotrace.asyncio_tasks.look import NAME_LENGTH, TaskLooks
from iotrace.asyncio_tasks.object_layout import Layout, described_layout
from iotrace.asyncio_tasks.objects import Objects
from iotrace.asyncio_tasks.task_look import Look
from iotrace.procfs.python import read_python
from iotrace.pystack.described import SECTIONS, read_described
from iotrace.pystack.memory import ProcessMemory, Unreadable
from iotrace.pystack.recognition import find_runtime
from iotrace.pystack.runtime import Runtime
from iotrace.pystack.symbols import Symbols
from tests.fuzz.memory import Pages, Recorder, damaged_word
from tests.interpreters import main_interpreters
from tests.kernel.targets import Target

_PAGE_SHIFT = 12


class _TaskPages(Pages):
    """Sets and names may be large, and lists long."""

    most_bytes = 1 << 22
    most_reads = 200_000

    def read_many(self, pieces: Sequence[Piece]) -> list[bytes | None]:
        """Each piece, or None."""
        sound = [piece if piece[1] > 0 else (0, 1) for piece in pieces]
        return read_each(self, sound)


class _Recorder(Recorder):
    def read_many(self, pieces: Sequence[Piece]) -> list[bytes | None]:
        """Each piece, or None."""
        return read_each(self, pieces)


@dataclass(frozen=True, slots=True)
class _Image:
    """``section``: its .AsyncioDebug, b"" before 3.14. ``told``: the addresses of the words of its
    _Py_DebugOffsets, () before 3.13."""

    runtime: Runtime
    layout: Layout
    section: bytes
    told: tuple[int, ...]
    pages: dict[int, bytes]
    words: tuple[int, ...]
    values: tuple[int, ...]


def _look(memory: _TaskPages | _Recorder, runtime: Runtime, layout: Layout) -> Look:
    """Two looks, as ``iotrace tasks`` does. Raises NoAsyncio, Unreadable."""
    symbols = Symbols(runtime.offsets, memory)
    looks = TaskLooks("3", runtime, Objects(memory, layout), symbols.name)
    for _ in range(2):
        left = looks.look()
        while left:
            left = looks.read_part()
    return looks.told()


def _capture(python: str) -> _Image:
    with Target("tasks.py", 2, python=python) as target:
        build = read_python(target.pid)
        assert build is not None
        with ProcessMemory(target.pid) as memory:
            runtime = find_runtime(target.pid, build, memory)
            layout = find_layout(target.pid, build, runtime, memory)
            recorder = _Recorder(memory)
            section, told = b"", ()
            if layout.version in SECTIONS:
                described = read_described(recorder, runtime.address)
                told = tuple(recorder.words)
                section = read_section(target.pid, described, memory)
            assert len(_look(recorder, runtime, layout).tasks) > 12
    words = tuple(recorder.words)
    pages = _TaskPages(recorder.pages, {})
    read = [int.from_bytes(pages.read(at, 8), "little") for at in words if _has(recorder, at)]
    values = tuple([value for value in read if _has(recorder, value)])
    return _Image(runtime, layout, section, told, recorder.pages, words, values)


def _has(recorder: Recorder, address: int) -> bool:
    return (
        address >> _PAGE_SHIFT in recorder.pages and (address + 7) >> _PAGE_SHIFT in recorder.pages
    )


@cache
def _images() -> tuple[_Image, ...]:
    """One of each version on this machine; all of it is read once more, undamaged."""
    made = tuple(map(_capture, main_interpreters()))
    for image in made:
        assert len(_look(_TaskPages(image.pages, {}), image.runtime, image.layout).tasks) > 12
    return made


def read_damaged_tasks(data: bytes) -> None:
    """The damage is made from these bytes. Raises NoAsyncio, Unreadable."""
    chance = random.Random(zlib.crc32(data))
    image = chance.choice(_images())
    overlay = {}
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.choice(image.words) + chance.choice((0, 0, 0, 4))
        overlay[at] = damaged_word(image.words, image.values, at, chance).to_bytes(8, "little")
    lies = image.told and not chance.randrange(3)
    if lies:
        overlay = {chance.choice(image.told): _lie(chance) for _ in range(chance.choice((0, 1, 2)))}
    memory = _TaskPages(image.pages, overlay)
    try:
        layout = _lied_layout(image, memory, chance) if lies else image.layout
        look = _look(memory, image.runtime, layout)
    except (NoAsyncio, Unreadable):
        raise
    except BaseException:
        # The image is another in each run.
        print(f"overlay {overlay} of Python {image.layout.version}", file=sys.stderr)
        raise
    for one in look.tasks:
        assert len(one.name) <= NAME_LENGTH
        one.name.encode()


def _lied_layout(image: _Image, memory: _TaskPages, chance: random.Random) -> Layout:
    """What a reader makes of lies. Raises Unreadable."""
    section = bytearray(image.section)
    for _ in range(chance.choice((0, 1, 2)) if section else 0):
        at = 8 * chance.randrange(len(section) // 8)
        section[at : at + 8] = _lie(chance)
    return described_layout(read_described(memory, image.runtime.address), bytes(section))


def _lie(chance: random.Random) -> bytes:
    """An offset or a size that may be, or not."""
    return chance.choice(
        (0, 8 * chance.randrange(64), chance.randrange(4096), 1 << chance.randrange(64), 2**64 - 8)
    ).to_bytes(8, "little")

"""Damage files at random and read them: ``python -m tests.unit.recording.damage [COUNT] [SEED]``.

Each damaged recording must be refused with one of the documented errors; one that is read all
the same must read as what was written. Prints how many were refused, and why.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from iotrace.errors import IotraceError
from iotrace.recording import container
from iotrace.recording.recording import Recording
from iotrace.recording.recording_reader import read_recording
from iotrace.recording.recording_writer import DEFAULT_MAX_BYTES, RecordingWriter
from iotrace.timeline.recorded_events import encode_names
from tests.unit import reports
from tests.unit.timeline.made import blocking_read


def written(path: Path, samples: int = 3) -> bytes:
    """A recording of a small server, with a timeline; the report is its last part."""
    report = reports.thread_pool(3)
    writer = RecordingWriter(path, None, DEFAULT_MAX_BYTES)
    for number in range(1, samples + 1):
        writer.add_sample(replace(report, interval=number))
    timeline = blocking_read()
    writer.add_events(timeline.packed)
    writer.add_names(encode_names(timeline.calls, timeline.opened))
    writer.finish(report)
    return path.read_bytes()


def damaged(whole: bytes, dice: random.Random) -> bytes:
    """The bytes with one to three things wrong with them."""
    data = bytearray(whole)
    for _ in range(dice.randint(1, 3)):
        kind = dice.randrange(8)
        at = dice.randrange(len(data) or 1)
        length = dice.choice((1, 2, 4, 16, 256))
        if kind == 0 and data:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1 and data:
            data[at] = dice.randrange(256)
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            del data[at : at + length]
        elif kind == 4:
            data[at:at] = dice.randbytes(length)
        elif kind == 5:
            data[at : at + length] = bytes(length)
        elif kind == 6:
            data += data[at : at + length] or b"x"
        else:
            # A head, where most of what can go wrong is decided.
            place = dice.randrange(min(len(data), 40) or 1)
            data[place : place + 4] = dice.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"END "))
    return bytes(data)


def resealed(whole: bytes, dice: random.Random) -> bytes:
    """The same report with damage *inside*, under checksums that are right: a forged file."""
    report = container_parts(whole)[-1]
    inner = damaged(report, dice)
    return sealed([(container.REPORT, inner)])


def container_parts(whole: bytes) -> list[bytes]:
    """The plain parts of a recording."""
    import io

    return [part.plain() for part in container.read_parts(io.BytesIO(whole))]


def sealed(parts: list[tuple[bytes, bytes]], version: bytes | None = None) -> bytes:
    """A file of these parts whose checksums are right."""
    import hashlib

    data = container.header() if version is None else container.MAGIC + version
    for kind, plain in parts:
        data += container.part(kind, plain)
    return data + container.end(hashlib.sha256(data).digest())


def outcome(path: Path, data: bytes, original: Recording) -> str:
    """What reading it gives: "the same", "another report", or the error's words."""
    path.write_bytes(data)
    try:
        return "the same" if read_recording(path, timeline=True) == original else "another report"
    except IotraceError as error:
        what = error.what.removeprefix(f"{path}: ")
        assert "\n" not in what and what.isprintable(), what
        assert 1 < error.code < 10
        return what


def tally(count: int, seed: int, directory: Path) -> tuple[Counter[str], Counter[str]]:
    """Outcomes of ``count`` damaged files, and of as many forged ones."""
    dice = random.Random(seed)
    path = directory / "x.iot"
    whole = written(path)
    original = read_recording(path, timeline=True)
    broken = Counter(outcome(path, damaged(whole, dice), original) for _ in range(count))
    forged = Counter(outcome(path, resealed(whole, dice), original) for _ in range(count))
    return broken, forged


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    print(f"{count} damaged and {count} forged files, seed {seed}")
    with tempfile.TemporaryDirectory() as directory:
        for name, outcomes in zip(
            ("damaged", "forged"), tally(count, seed, Path(directory)), strict=True
        ):
            for words, times in outcomes.most_common():
                print(f"{name:8} {times:6} {words}")

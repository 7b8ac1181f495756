"""Damaged copies of a file, the same ones in each run."""

from __future__ import annotations

import random
from collections.abc import Iterator

_TOKENS = (
    b"\n", b" ", b"\t", b":", b"(", b")", b"-1", b"0x", b"\0", b"\xff", b"kB", b"_", b"+",
    b"99999999999999999999999", b"running", b"socket:[1]", b"\x7fELF", b"\xff" * 8, b"\0" * 8,
)  # fmt: skip


def mutations(sample: bytes, count: int = 2000, seed: int = 7) -> Iterator[bytes]:
    """``count`` copies of ``sample``, each damaged in one to four places."""
    chance = random.Random(seed)
    for _ in range(count):
        damaged = bytearray(sample)
        for _ in range(chance.randint(1, 4)):
            _damage(damaged, chance)
        yield bytes(damaged)


def _damage(data: bytearray, chance: random.Random) -> None:
    start = chance.randint(0, len(data))
    end = min(len(data), start + chance.choice((1, 1, 2, 8, 64)))
    match chance.randrange(6):
        case 0:
            data[start:end] = chance.randbytes(end - start)
        case 1:
            del data[start:end]
        case 2:
            data[start:start] = data[start:end]
        case 3:
            del data[start:]
        case 4:
            data[start:end] = chance.choice(_TOKENS)
        case 5:
            data[start:start] = chance.choice(_TOKENS)

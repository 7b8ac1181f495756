# SPDX-License-Identifier: Apache-2.0
"""Many small pieces of another process's memory in one system call: process_vm_readv(2)."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol, TypeAlias

from iotrace.pystack.memory import Memory, ProcessMemory, Unreadable

_PIECES = 1024  # UIO_MAXIOV
_USER_SPACE = 1 << 56
_PIECE_BYTES = 1 << 22
_NO_WORD = bytes(8)

Piece: TypeAlias = "tuple[int, int]"
"""Address and size in bytes."""

_libc = ctypes.CDLL(None, use_errno=True)


class BulkMemory(Protocol):
    """Something that has bytes at addresses, and gives many pieces at once."""

    def read(self, address: int, size: int) -> bytes:
        """Exactly ``size`` bytes. Raises Unreadable."""

    def read_many(self, pieces: Sequence[Piece]) -> list[bytes | None]:
        """Each piece, or None where it cannot be read."""


def read_words(memory: BulkMemory, addresses: Sequence[int]) -> tuple[int, ...]:
    """The number of 8 bytes at each address, 0 where it cannot be read."""
    raws = memory.read_many([(address, 8) for address in addresses])
    whole = b"".join([raw or _NO_WORD for raw in raws])
    return struct.unpack(f"<{len(addresses)}Q", whole)


def read_each(memory: Memory, pieces: Sequence[Piece]) -> list[bytes | None]:
    """``read_many`` for memory that reads one by one."""
    found: list[bytes | None] = []
    for address, size in pieces:
        try:
            found.append(memory.read(address, size))
        except Unreadable:
            found.append(None)
    return found


class BulkProcessMemory:
    """The memory of one process. After an exec the two ways to read see different programs: whoever
    looks checks at the end that ``read`` still finds something."""

    def __init__(self, pid: int, memory: ProcessMemory) -> None:
        self._pid = pid
        self._memory = memory
        self._in_bulk = True

    def read(self, address: int, size: int) -> bytes:
        """Exactly ``size`` bytes. Raises Unreadable."""
        return self._memory.read(address, size)

    def read_many(self, pieces: Sequence[Piece]) -> list[bytes | None]:
        """Each piece, or None where it cannot be read."""
        found: list[bytes | None] = []
        while len(found) < len(pieces):
            part = pieces[len(found) : len(found) + _PIECES]
            if not self._in_bulk:
                found.extend(read_each(self._memory, part))
                continue
            answer = self._read(part)
            found.extend(answer)
            if len(answer) < len(part):  # what stopped it: this piece, or the call is not allowed
                found.extend(read_each(self._memory, part[len(answer) : len(answer) + 1]))
                if not answer and found[-1] is not None:
                    self._in_bulk = False
        return found

    def _read(self, pieces: Sequence[Piece]) -> list[bytes | None]:
        """The first pieces, as far as all of them can be read."""
        good = _possible(pieces)
        if not good:
            return []
        words = [word for piece in pieces[:good] for word in piece]
        sizes = words[1::2]
        total, size = sum(sizes), sizes[0]
        buffer = ctypes.create_string_buffer(total)
        local = struct.pack("2Q", ctypes.addressof(buffer), total)
        remote = struct.pack(f"{2 * good}Q", *words)
        read = max(0, _libc.process_vm_readv(self._pid, local, 1, remote, good, 0))
        raw = buffer.raw
        if sizes.count(size) == good:
            return [one for (one,) in struct.iter_unpack(f"{size}s", raw[: read - read % size])]
        ends = zip(sizes, accumulate(sizes), strict=True)
        return [raw[end - size : end] for size, end in ends if end <= read]


def _possible(pieces: Sequence[Piece]) -> int:
    """The number of pieces before the first one that cannot be asked for."""
    for place, (address, size) in enumerate(pieces):
        if not 0 < address < _USER_SPACE - size or not 0 < size <= _PIECE_BYTES:
            return place
    return len(pieces)

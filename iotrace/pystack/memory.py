# SPDX-License-Identifier: Apache-2.0
"""Another process's memory, read through /proc/PID/mem without stopping it: proc_pid_mem(5).

The process goes on meanwhile: whatever is read may be half changed, or garbage.
"""

from __future__ import annotations

import os
import struct
from types import TracebackType
from typing import Protocol

from iotrace.procfs.files import PROC, ProcessErrors

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_USER_SPACE = 1 << 56


class Unreadable(Exception):
    """There is no memory at that address, or what lies there is not what it should be."""


class Memory(Protocol):
    """Something that has bytes at addresses."""

    def read(self, address: int, size: int) -> bytes:
        """Exactly ``size`` bytes. Raises Unreadable."""


def read_u64(memory: Memory, address: int) -> int:
    """An 8-byte number, or an address. Raises Unreadable."""
    return int(_U64.unpack(memory.read(address, 8))[0])


def read_u32(memory: Memory, address: int) -> int:
    """A 4-byte number. Raises Unreadable."""
    return int(_U32.unpack(memory.read(address, 4))[0])


class ProcessMemory:
    """The memory of one process as it is when opened: gone for good after an exec."""

    def __init__(self, pid: int, root: str = PROC) -> None:
        """Raises NoSuchProcess, PermissionDenied."""
        with ProcessErrors(pid, root):
            self._fd = os.open(f"{root}/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)

    def read(self, address: int, size: int) -> bytes:
        """Exactly ``size`` bytes. Raises Unreadable."""
        if not 0 < address < _USER_SPACE - size:
            raise Unreadable(f"no address: {address:#x}")
        try:
            data = os.pread(self._fd, size, address)
        except OSError as error:
            raise Unreadable(f"{address:#x}: {error.strerror}") from error
        if len(data) != size:
            raise Unreadable(f"{address:#x}: {len(data)} bytes of {size}")
        return data

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)

    def __enter__(self) -> ProcessMemory:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

# SPDX-License-Identifier: Apache-2.0
"""The probes' record tables, mapped into memory: read without a system call."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import struct
from collections.abc import Callable, Container, Iterator

from iotrace.engine.record_layout import Layout
from iotrace.errors import Unsupported

_SEQ_BYTES = 4
_FIRST_BYTES = 64 << 10
"""A multiple of every page size."""
_NOTHING = bytes(4)
_MEMBARRIER = {"aarch64": 283}
"""Numbers of membarrier(2) on machines that reorder loads; x86 does not."""
_GLOBAL_EXPEDITED = 2
_libc = ctypes.CDLL(None)


def _load_barrier(machine: str) -> Callable[[], object] | None:
    """Orders our loads before it and after it; None: this machine keeps loads in order.

    Python has no barrier of its own. membarrier(2) begins and ends with a full one, whichever
    other processes it reaches (kernel/sched/membarrier.c, since Linux 4.16).
    """
    number = _MEMBARRIER.get(machine)
    if number is None:
        return None
    return lambda: _libc.syscall(number, _GLOBAL_EXPEDITED, 0, 0)


def mapped(fd: int, length: int, **options: int) -> mmap.mmap:
    """The memory of a map; ``options`` as mmap.mmap has them.

    Raises Unsupported where this process may not have so much.
    """
    try:
        return mmap.mmap(fd, length, **options)
    except OSError as error:
        raise Unsupported(
            "The probes' tables cannot be mapped into iotrace's memory.",
            why=f"{os.strerror(error.errno or 0)} ({length >> 10} KiB for one of them).",
            paste="ulimit -v; free -m",
        ) from error


class RecordTable:
    """An mmap-able array map whose values begin with ``u32 seq`` (see probes/records.h)."""

    def __init__(self, fd: int, layout: Layout, entries: int) -> None:
        self.layout = layout
        self.entries = entries
        self._stride = -(-layout.size // 8) * 8
        self._fd = fd
        self._most = -(-self._stride * entries // mmap.PAGESIZE) * mmap.PAGESIZE
        self._memory = mapped(fd, min(_FIRST_BYTES, self._most))
        self._barrier = _load_barrier(platform.machine())

    def _start(self, index: int) -> int:
        """Where a record lies in ``_memory``, which reaches as far from then on.

        The kernel maps all pages at once and counts them as ours, so only what is used is mapped.
        Who holds the memory as it was before can go on reading there.
        """
        start = index * self._stride
        if start + self._stride > len(self._memory):
            length = len(self._memory)
            while length < start + self._stride:
                length *= 2
            self._memory = mapped(self._fd, min(length, self._most))
        return start

    def read(self, index: int) -> bytes:
        """A consistent copy of one record.

        The probes make seq odd while they change a record (update_begin and update_end in
        probes/atomics.c). That takes well under a microsecond, so the loop ends soon.
        """
        return self._copy(self._start(index))

    def _copy(self, start: int) -> bytes:
        memory, size, barrier = self._memory, self.layout.size, self._barrier
        while True:
            before = memory[start : start + _SEQ_BYTES]  # a copy may take the tail first
            if barrier:
                barrier()
            raw = memory[start : start + size]
            if barrier:
                barrier()
            if not before[0] & 1 and before == memory[start : start + _SEQ_BYTES]:
                return raw

    def unguarded(self, index: int, members: struct.Struct) -> tuple[int, ...]:
        """Members of a record without a sequence counter: each by itself is consistent."""
        start = self._start(index)
        return members.unpack_from(self._memory, start)

    def all_unguarded(self, used: int, members: struct.Struct) -> Callable[[int], tuple[int, ...]]:
        """The same of any of the first ``used`` records, for whoever asks for many of them."""
        self._start(max(min(used, self.entries) - 1, 0))
        memory, stride, unpack_from = self._memory, self._stride, members.unpack_from
        return lambda index: unpack_from(memory, index * stride)

    def read_all(self, used: int) -> Iterator[tuple[int, bytes]]:
        """(index, record) of the first ``used`` records."""
        for index in range(min(used, self.entries)):
            yield index, self.read(index)

    def taken(self, used: int, name: str) -> Iterator[int]:
        """The indices, of the first ``used``, where the ``u32`` member ``name`` is not 0.

        Most records of a table are not in use: this costs a hundredth of reading them.
        """
        used = min(used, self.entries)
        self._start(max(used - 1, 0))
        memory, stride = self._memory, self._stride
        start = self.layout.fields[name].offset
        for index in range(used):
            if memory[start : start + 4] != _NOTHING:
                yield index
            start += stride

    def read_of(self, slots: Container[int], used: int) -> Iterator[tuple[int, bytes]]:
        """(index, record) of those that belong to threads in ``slots`` (their ``u32 slot``)."""
        for index in self._indices_of(slots, used):
            yield index, self._copy(index * self._stride)  # it is mapped as far

    def members_of(
        self, slots: Container[int], used: int, *names: str
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        """(index, scalar members) of those in ``slots``, where no probe writes any more.

        The members are named in the order in which they lie.
        """
        members = self.layout.members(*names)
        for index in self._indices_of(slots, used):
            yield index, members.unpack_from(self._memory, index * self._stride)

    def _indices_of(self, slots: Container[int], used: int) -> Iterator[int]:
        used = min(used, self.entries)
        self._start(max(used - 1, 0))
        memory, stride = self._memory, self._stride
        place = self.layout.fields["slot"].offset
        for index in range(used):
            start = index * stride + place
            if int.from_bytes(memory[start : start + 4], "little") in slots:
                yield index

    def write(self, index: int, raw: bytes | bytearray) -> None:
        """Set a record that no probe writes now (not yet entered, or ended)."""
        start = self._start(index)
        self._memory[start : start + len(raw)] = bytes(raw)

    def changed(self, index: int) -> bool:
        """Whether a probe has written to a record since ``write``."""
        start = self._start(index)
        return any(self._memory[start : start + _SEQ_BYTES])

    def set(self, index: int, name: str, value: int) -> None:
        """One member of a record that probes may write to: its neighbours stay untouched."""
        field = self.layout.fields[name]
        start = self._start(index)
        struct.pack_into(field.format, self._memory, start + field.offset, value)

    def clear(self, index: int) -> None:
        """Make a record as new."""
        self.write(index, bytes(self.layout.size))

    def close(self) -> None:
        """Unmap."""
        self._memory.close()


class Counters:
    """The counters map, mapped: slots of u64."""

    def __init__(self, fd: int, entries: int) -> None:
        self._memory = mapped(fd, -(-8 * entries // mmap.PAGESIZE) * mmap.PAGESIZE)

    def __getitem__(self, index: int) -> int:
        return int.from_bytes(self._memory[8 * index : 8 * index + 8], "little")

    def __setitem__(self, index: int, value: int) -> None:
        """Only for counters that no probe writes."""
        self._memory[8 * index : 8 * index + 8] = value.to_bytes(8, "little")

    def close(self) -> None:
        """Unmap."""
        self._memory.close()

# SPDX-License-Identifier: Apache-2.0
"""A BPF ring buffer, read by polling: no epoll, no callback, no bcc.

Layout: kernel/bpf/ringbuf.c. One page for the consumer's position, one for the producer's, then
the data, mapped twice in a row so that a record never wraps.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

from iotrace.engine.record_tables import mapped

_BUSY = 1 << 31
_DISCARD = 1 << 30
_HEADER_BYTES = 8


class RingBuffer:
    """Records of a ring buffer map of ``size`` bytes."""

    def __init__(self, fd: int, size: int) -> None:
        self._size = size
        page = mmap.PAGESIZE
        self._consumer = mapped(fd, page)
        self._producer = mapped(
            fd, page + 2 * size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ, offset=page
        )

    def records(self) -> Iterator[bytes]:
        """What is there now, oldest first; each record is given back as soon as it was yielded."""
        position = int.from_bytes(self._consumer[:8], "little")
        end = int.from_bytes(self._producer[:8], "little")
        while position < end:
            start = mmap.PAGESIZE + (position & (self._size - 1))
            header = int.from_bytes(self._producer[start : start + 4], "little")
            if header & _BUSY:
                return
            length = header & ~(_BUSY | _DISCARD)
            if not header & _DISCARD:
                begin = start + _HEADER_BYTES
                yield self._producer[begin : begin + length]
            position += -(-(length + _HEADER_BYTES) // 8) * 8
            self._consumer[:8] = position.to_bytes(8, "little")

    def close(self) -> None:
        """Unmap."""
        self._consumer.close()
        self._producer.close()

# SPDX-License-Identifier: Apache-2.0
"""The protocol that every reference server speaks: a frame that comes back as it was sent.

A frame is a header of ``HEADER_BYTES`` and a payload. The header carries what the client asks
for: how long the handler is to work (``think_ns``), how (``Work``) and how long the payload is.
The answer to a request is the same frame, byte for byte. A server that will not serve a
connection sends one frame of status ``REFUSED``, whose payload says why, and closes.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from enum import IntEnum

MAGIC = b"Io"
# magic, status, work, sequence number, payload length in bytes, think time in ns
HEADER = struct.Struct("!2sBBIIQ")
HEADER_BYTES = HEADER.size
MAX_PAYLOAD_BYTES = 1 << 26
MAX_THINK_NS = 60 * 10**9
# One read can take a whole frame of 1 MiB, so that a small and a large message cost every
# model the same calls, as far as the kernel has the data together.
RECEIVE_BYTES = HEADER_BYTES + (1 << 20)


class Status(IntEnum):
    """What a frame is: a request and its answer, or a refusal."""

    OK = 0
    REFUSED = 1


class Work(IntEnum):
    """How the handler spends its think time: asleep, or busy on a CPU."""

    SLEEP = 0
    SPIN = 1


class ProtocolError(ValueError):
    """The peer does not speak this protocol: there is no way on with this connection."""


@dataclass(frozen=True, slots=True)
class Message:
    """One whole frame, as it came, and what its header asks for."""

    frame: bytes
    status: int
    work: int
    think_ns: int

    @property
    def payload(self) -> bytes:
        """The frame without its header."""
        return self.frame[HEADER_BYTES:]


def encode(
    payload: bytes,
    *,
    sequence: int = 0,
    think_ns: int = 0,
    work: Work = Work.SLEEP,
    status: Status = Status.OK,
) -> bytes:
    """The frame that carries ``payload``."""
    return HEADER.pack(MAGIC, status, work, sequence, len(payload), think_ns) + payload


def receive_buffer() -> memoryview:
    """Room for ``RECEIVE_BYTES``, to be used again for every read.

    Anonymous memory takes no page before something is written to it, and must be private: a
    forked child gets its own copy.
    """
    return memoryview(mmap.mmap(-1, RECEIVE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


def touch(buffer: memoryview) -> None:
    """Write to every page of ``buffer``, so that it is there before the kernel copies into it.

    In a new process or thread the copy would else be mostly page faults. That is a price of
    having new memory for each request, and none of the copy.
    """
    buffer[:: mmap.PAGESIZE] = bytes(len(range(0, len(buffer), mmap.PAGESIZE)))


class Decoder:
    """Cuts a stream of bytes into messages, however it was cut into reads."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._needed_bytes = HEADER_BYTES

    @property
    def missing_bytes(self) -> int:
        """How much more must come before ``feed`` can give the next message (or its length)."""
        return self._needed_bytes - len(self._pending)

    def feed(self, data: bytes | bytearray | memoryview) -> list[Message]:
        """The messages that ``data`` completes. What is left over waits for the next call.

        Raises ProtocolError when the bytes are no frame of ours.
        """
        if self._pending:
            self._pending += data
            if len(self._pending) < self._needed_bytes:
                return []
            data = self._pending
        messages = []
        start = 0
        with memoryview(data) as view:
            self._needed_bytes = HEADER_BYTES
            while len(view) - start >= HEADER_BYTES:
                magic, status, work, _, payload_bytes, think_ns = HEADER.unpack_from(view, start)
                if magic != MAGIC or work not in _WORKS:
                    raise ProtocolError("this is not a frame")
                if payload_bytes > MAX_PAYLOAD_BYTES or think_ns > MAX_THINK_NS:
                    raise ProtocolError("this frame asks for too much")
                frame_bytes = HEADER_BYTES + payload_bytes
                if len(view) - start < frame_bytes:
                    self._needed_bytes = frame_bytes
                    break
                frame = bytes(view[start : start + frame_bytes])
                messages.append(Message(frame, status, work, think_ns))
                start += frame_bytes
            self._pending = bytearray(view[start:])
        return messages


_WORKS = frozenset(Work)

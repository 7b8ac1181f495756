# SPDX-License-Identifier: Apache-2.0
"""Frames through a pipe, to a process that is not waited for for long."""

from __future__ import annotations

import errno
import os
import select
import struct
import time
from collections.abc import Iterator

from iotrace.errors import Unsupported

_LENGTH = struct.Struct("<Q")
_MOST_BYTES = 1 << 26
_PATIENCE_S = 10.0


def channel() -> tuple[int, int]:
    """Both ends of a pipe: ``frames`` waits at the first, ``hand_on`` does not at the second."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    return reading, writing


def hand_on(writing: int, frame: bytes, what: str, who: str) -> None:
    """Raises Unsupported where the other side has ended, or takes nothing for too long.

    Then the pipe is of no use any more. ``what`` does not go on; ``who`` does it.
    """
    try:
        _send(writing, frame)
    except OSError as error:
        raise Unsupported(
            f"{what} any more.",
            why=f"The process that {who} does not take metrics: {error.strerror}.",
            paste="sudo systemctl restart iotrace-agent",
        ) from error


def _send(writing: int, frame: bytes) -> None:
    data = memoryview(_LENGTH.pack(len(frame)) + frame)
    until = time.monotonic() + _PATIENCE_S
    while data:
        try:
            data = data[os.write(writing, data) :]
        except BlockingIOError:
            left_s = until - time.monotonic()
            room = select.poll()
            room.register(writing, select.POLLOUT)
            if left_s <= 0 or not room.poll(left_s * 1000):
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None


def frames(reading: int) -> Iterator[bytes]:
    """Each as it comes, until the other side closes the pipe."""
    with os.fdopen(reading, "rb") as pipe:
        while True:
            head = pipe.read(_LENGTH.size)
            if len(head) < _LENGTH.size:
                return
            (length,) = _LENGTH.unpack(head)
            frame = pipe.read(min(length, _MOST_BYTES))
            if len(frame) < length:
                return
            yield frame

# SPDX-License-Identifier: Apache-2.0
"""Questions and answers on a pipe: a length, then the value (marshal).

marshal is not safe against bytes that someone made up. Nobody can: both ends are this program, and
what a traced process controls is only ever a value in a message.
"""

from __future__ import annotations

import marshal
import os
import select
import struct
import time
from typing import Any

ANSWERED, REFUSED, FAILED = 0, 1, 2
"""An answer begins with one of these. The value follows; or the class and the texts of an error of
ours; or what went wrong that nobody has foreseen. Then CPU time in ns and pid of the reader."""
MOST_BYTES = 1 << 24
_LENGTH = struct.Struct("<I")
_READ_BYTES = 1 << 16


class TooLong(ValueError):
    """A message is longer than the other end takes."""


def packed(value: Any) -> bytes:
    """A message. Raises TooLong."""
    body = marshal.dumps(value)
    if len(body) > MOST_BYTES:
        raise TooLong(f"an answer of {len(body) >> 20} MiB")
    return _LENGTH.pack(len(body)) + body


def receive(pipe: int) -> Any:
    """Wait for a message on a blocking pipe. Raises EOFError where the other end is closed."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return marshal.loads(_exactly(pipe, length))


def send(pipe: int, message: bytes) -> None:
    """All of a message, to a blocking pipe."""
    rest = memoryview(message)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _exactly(pipe: int, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = os.read(pipe, min(_READ_BYTES, length - len(parts)))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


class Exchange:
    """One question, and its answer as far as it has come; both pipes do not block."""

    def __init__(self, questions: int, answers: int, message: bytes) -> None:
        self._questions = questions
        self._answers = answers
        self._unsent = memoryview(message)
        self._received = bytearray()

    def proceed(self, until_ns: int, also: int) -> Any | None:
        """The answer; None: it is not there yet at ``until_ns`` (CLOCK_MONOTONIC), or there is
        something to read from ``also``. Raises TooLong.
        """
        waiting = select.poll()
        waiting.register(also, select.POLLIN)
        waiting.register(self._answers, select.POLLIN)
        while True:
            if self._unsent:
                waiting.register(self._questions, select.POLLOUT)
                self._send()
            if not self._unsent:
                waiting.register(self._questions, 0)
            left_ns = until_ns - time.monotonic_ns()
            ready = dict(waiting.poll(max(0, -(-left_ns // 1_000_000))))
            if self._answers in ready and self._receive():
                return marshal.loads(self._received[_LENGTH.size :])
            if also in ready or (not ready and left_ns <= 0):
                return None

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._questions, self._unsent) :]
        except BlockingIOError:
            return

    def _receive(self) -> bool:
        try:
            self._received += os.read(self._answers, _READ_BYTES)
        except BlockingIOError:
            return False
        if len(self._received) < _LENGTH.size:
            return False
        length = int(_LENGTH.unpack_from(self._received)[0])
        if length > MOST_BYTES:
            raise TooLong(f"an answer of {length >> 20} MiB")
        return len(self._received) >= _LENGTH.size + length

# SPDX-License-Identifier: Apache-2.0
"""One connection of the load: its requests under way, and the bytes that came back so far."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections import deque

from iotrace.servers.protocol import HEADER_BYTES, Decoder, ProtocolError, Status

Address = tuple[str, int] | tuple[str, int, int, int]


class PeerError(Exception):
    """This connection is lost. ``kind`` is a key of ``LoadResult.errors``."""

    def __init__(self, kind: str, reason: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.reason = reason


class Peer:
    """A non-blocking connection that sends frames and checks that each comes back unchanged."""

    __slots__ = (
        "_buffer",
        "_got",
        "_sock",
        "_unsent",
        "_view",
        "in_flight",
        "quota",
        "scheduled",
        "watched",
    )

    def __init__(self, frame_bytes: int, quota: float) -> None:
        self._buffer = bytearray(frame_bytes)
        self._view = memoryview(self._buffer)
        self._got = 0
        self._unsent: deque[memoryview] = deque()
        self._sock: socket.socket | None = None
        self.quota = quota  # requests that it may still send
        self.scheduled = 0  # requests that will be sent at their time
        self.watched = 0  # the epoll events that the loop waits for
        self.in_flight: deque[tuple[bytes, int]] = deque()  # frame, since when its time counts

    def connect(self, family: int, address: Address) -> None:
        """Begin to connect; the descriptor is writable when that has come to an end."""
        self._sock = socket.socket(family, socket.SOCK_STREAM)
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise PeerError("connect", os.strerror(code))

    def connected(self) -> None:
        """Raises PeerError when the connecting that has come to an end did so in vain."""
        assert self._sock is not None
        if code := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise PeerError("connect", os.strerror(code))

    @property
    def is_open(self) -> bool:
        """It is connected, or about to be."""
        return self._sock is not None

    def fileno(self) -> int:
        """The descriptor of an open connection."""
        assert self._sock is not None
        return self._sock.fileno()

    @property
    def unsent(self) -> bool:
        """The socket did not take everything yet."""
        return bool(self._unsent)

    def send(self, frames: list[bytes], since_ns: int) -> None:
        """Send frames in one piece; their latency counts from ``since_ns``."""
        assert self._sock is not None
        for frame in frames:
            self.in_flight.append((frame, since_ns))
        data = frames[0] if len(frames) == 1 else b"".join(frames)
        sent_bytes = 0
        if not self._unsent:
            try:
                sent_bytes = self._sock.send(data)
            except BlockingIOError:
                pass
            except OSError:
                return  # why, and what has come back before this, the next read tells
        if sent_bytes < len(data):
            self._unsent.append(memoryview(data)[sent_bytes:])

    def flush(self) -> None:
        """Send what is left over, as far as the socket takes it."""
        assert self._sock is not None
        try:
            while self._unsent:
                data = self._unsent[0]
                sent_bytes = self._sock.send(data)
                if sent_bytes < len(data):
                    self._unsent[0] = data[sent_bytes:]
                else:
                    self._unsent.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()  # as above

    def receive(self) -> int | None:
        """One read. When it completes an answer: since when that request's time counts.

        Raises PeerError when the connection is lost, or the answer is not what was sent.
        """
        assert self._sock is not None
        try:
            # One answer at most. This is the load's hot path: no slice where none is needed.
            rest = self._view[self._got :] if self._got else self._view
            count = self._sock.recv_into(rest)
        except BlockingIOError:
            return None
        except OSError as error:
            raise PeerError("reset", str(error)) from error
        if not count:
            raise PeerError("closed")
        self._got += count
        if self._got >= HEADER_BYTES and self._buffer[2] == Status.REFUSED:
            raise PeerError("refused", self._refusal())
        if not self.in_flight:
            raise PeerError("mismatch", "an answer to nothing")
        if self._got < len(self._buffer):
            return None
        self._got = 0
        frame, since_ns = self.in_flight.popleft()
        if self._buffer != frame:
            raise PeerError("mismatch")
        return since_ns

    def close(self) -> None:
        """Hang up, and forget what was under way."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        self.in_flight.clear()
        self._unsent.clear()
        self._got = 0

    def _refusal(self) -> str:
        """The reason that the server gives; its bytes are not to be trusted."""
        assert self._sock is not None
        data = bytes(self._view[: self._got])
        with contextlib.suppress(OSError):  # it has sent all that it will
            data += self._sock.recv(4096)
        try:
            payload = Decoder().feed(data)[0].payload
        except (ProtocolError, IndexError):
            return "it does not say why"
        text = payload[:200].decode(errors="replace")
        return "".join(character if character.isprintable() else "?" for character in text)

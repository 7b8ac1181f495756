# SPDX-License-Identifier: Apache-2.0
"""One client of a server that must never block on it: what has come in, what is still to go out.

The event-driven servers share this class and differ in how they learn *when* to use it.
"""

from __future__ import annotations

import socket
import sys
import time
from collections import deque

from iotrace.servers.handler import Handler
from iotrace.servers.options import Options
from iotrace.servers.protocol import (
    Decoder,
    Message,
    ProtocolError,
    Status,
    encode,
    receive_buffer,
)

# One for all connections: what a read brings is decoded before the next read. These servers
# have one thread.
_BUFFER = receive_buffer()
_said: set[str] = set()


class Connection:
    """A non-blocking socket with its half-received message and its unsent answers."""

    def __init__(self, peer: socket.socket) -> None:
        peer.setblocking(False)
        self._peer = peer
        self._decoder = Decoder()
        self._outgoing: deque[memoryview] = deque()
        self._ended = False
        self._broken = False

    def fileno(self) -> int:
        """The descriptor."""
        return self._peer.fileno()

    @property
    def unsent(self) -> bool:
        """Answers wait until the peer takes them. Nothing is read before: a client that sends
        but does not read fills its own buffers and not our memory."""
        return bool(self._outgoing)

    @property
    def finished(self) -> bool:
        """The peer has left, or ended its stream and has got every answer."""
        return self._broken or (self._ended and not self._outgoing)

    def receive(self, limit_bytes: int = 0) -> list[Message] | None:
        """One recv(2), of at most ``limit_bytes`` (0: the whole buffer).

        Gives the messages that it completed, or None when there was nothing to read: no data
        yet (EAGAIN), the peer has left, or it must take its answers first.
        """
        if self._ended or self._outgoing:
            return None
        try:
            count = self._peer.recv_into(_BUFFER, limit_bytes)
            self._ended = count == 0
            return self._decoder.feed(_BUFFER[:count]) if count else None
        except BlockingIOError:
            return None
        except (OSError, ProtocolError):
            self._ended = self._broken = True
            return None

    def send(self, data: bytes) -> None:
        """Send ``data``, or keep what the socket does not take now (see ``flush``)."""
        self._outgoing.append(memoryview(data))
        if len(self._outgoing) == 1:
            self.flush()

    def flush(self) -> None:
        """Send what is left over, as far as the socket takes it."""
        try:
            while self._outgoing:
                data = self._outgoing[0]
                sent_bytes = self._peer.send(data)
                if sent_bytes < len(data):
                    self._outgoing[0] = data[sent_bytes:]
                else:
                    self._outgoing.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._ended = self._broken = True

    def exchange(self, handle: Handler, limit_bytes: int = 0) -> bool:
        """Take one step: send what is left over or, if nothing is, read once and answer.

        False: nothing more can be done before the socket is ready again.
        """
        if self._outgoing:
            self.flush()
            return not self._outgoing
        messages = self.receive(limit_bytes)
        for message in messages or ():
            self.send(handle(message))
        return messages is not None

    def close(self) -> None:
        """Hang up."""
        self._peer.close()

    def refuse(self, why: str) -> None:
        """Tell the peer why it is not served (and stderr, once for each reason), and hang up.

        What the peer has sent so far is read first: over unread data close(2) sends a reset,
        and the refusal could get lost.
        """
        if why not in _said:
            _said.add(why)
            print(f"connection refused: {why}", file=sys.stderr, flush=True)
        self.receive()
        self.send(encode(why.encode(), status=Status.REFUSED))
        self.close()


class Acceptor:
    """Takes new connections from a listener that is ready: at once, or as the options say."""

    def __init__(self, listener: socket.socket, options: Options) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._never = options.never_accept
        self._delay_ns = options.slow_accept_ns
        self._due_ns: int | None = None

    def accept(self) -> Connection | None:
        """The next connection, or None: nobody waits, or it is not to be accepted yet."""
        if self._never or (self._delay_ns and not self._due()):
            return None
        while True:
            try:
                return Connection(self._listener.accept()[0])
            except BlockingIOError:
                return None
            except ConnectionAbortedError:
                continue  # it came and went while it waited; there may be others

    def _due(self) -> bool:
        now_ns = time.monotonic_ns()
        if self._due_ns is None:
            self._due_ns = now_ns + self._delay_ns
        if now_ns < self._due_ns:
            return False
        self._due_ns = None
        return True

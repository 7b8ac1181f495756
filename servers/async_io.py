# SPDX-License-Identifier: Apache-2.0
"""Asynchronous I/O with io_uring: start the operation and go on; the kernel tells when it is done.

The server says "send this answer, and receive into this buffer" and gets both *done*: the
kernel has waited, and has copied the data. No call of the server reads. It hands operations over
with io_uring_enter, and sleeps there too, but only when it has nothing else to do.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field

from iotrace.servers.handler import handler
from iotrace.servers.options import Options
from iotrace.servers.program import announce, listening, run
from iotrace.servers.protocol import Decoder, ProtocolError
from iotrace.servers.uring import Ring, unavailable

from iotrace.errors import Unsupported

SMALL_BYTES = 1 << 16  # each connection needs a buffer of its own, from the very start of a wait


@dataclass(slots=True)
class Client:
    """A connection and the memory that the kernel works on meanwhile."""

    peer: socket.socket
    decoder: Decoder = field(default_factory=Decoder)
    buffer: bytearray = field(default_factory=lambda: bytearray(SMALL_BYTES))
    answer: bytes = b""


def serve(options: Options) -> None:
    """Start operations, take their results, start the next, until SIGTERM.

    Raises Unsupported where the kernel or the binding lacks what it takes.
    """
    if reason := unavailable():
        raise Unsupported("async-io cannot run here", why=reason)
    handle = handler(options.slow_handler_ns)
    clients: dict[int, Client] = {}
    ring = Ring()

    def on_newcomer(fd: int) -> None:
        if fd >= 0:
            client = clients[fd] = Client(socket.socket(fileno=fd))
            ring.receive(fd, client.buffer)

    def on_received(client: Client, count: int) -> None:
        """``count`` bytes are in the buffer, and the answer before them has gone out."""
        try:
            messages = client.decoder.feed(memoryview(client.buffer)[: max(count, 0)])
        except ProtocolError:
            count = 0
        if count <= 0:  # it has left, or an operation has failed: nothing is under way any more
            del clients[client.peer.fileno()]
            client.peer.close()
            return
        client.answer = b"".join(handle(message) for message in messages)
        if client.decoder.missing_bytes > len(client.buffer):
            client.buffer = bytearray(client.decoder.missing_bytes)
        ring.receive(client.peer.fileno(), client.buffer, after_sending=client.answer)

    with listening(options) as listener:
        ring.accept(listener.fileno())
        announce(listener)
        try:
            while True:
                for fd, result in ring.wait():
                    if fd == listener.fileno():
                        ring.accept(fd)
                        on_newcomer(result)
                    else:
                        on_received(clients[fd], result)
        finally:
            # What is under way keeps its socket open, and is cancelled only a while after we
            # are gone: hang up now.
            for sock in (listener, *(client.peer for client in clients.values())):
                with contextlib.suppress(OSError):  # the client has just left
                    sock.shutdown(socket.SHUT_RDWR)
            ring.close()


if __name__ == "__main__":
    run(serve, __doc__, ("--slow-handler-ms",))

# SPDX-License-Identifier: Apache-2.0
"""Blocking I/O: one thread, one client at a time, one recv call a message.

The thread sleeps in recv until a message is there. While it serves one client, it cannot
accept another: the second one waits until the first has left.
"""

from __future__ import annotations

import socket

from iotrace.servers.handler import Handler, handler
from iotrace.servers.options import Options
from iotrace.servers.program import accept_each, announce, listening, run
from iotrace.servers.protocol import Decoder, ProtocolError, receive_buffer, touch

SMALL_BYTES = 1 << 16


def converse(peer: socket.socket, handle: Handler, buffer: memoryview) -> None:
    """Serve one client until it leaves: wait in recv, work, wait in send, again."""
    decoder = Decoder()
    room_bytes = SMALL_BYTES
    with peer:
        try:
            while count := peer.recv_into(buffer, room_bytes):
                for message in decoder.feed(buffer[:count]):
                    peer.sendall(handle(message))
                if decoder.missing_bytes > room_bytes:
                    touch(buffer)
                    room_bytes = len(buffer)
        except (ConnectionError, TimeoutError, ProtocolError):
            pass  # it hung up, or talks nonsense: this conversation is over, the next waits


def serve(options: Options) -> None:
    """Serve client after client until SIGTERM."""
    handle = handler()
    buffer = receive_buffer()
    with listening(options) as listener:
        announce(listener)
        for peer in accept_each(listener):
            converse(peer, handle, buffer)


if __name__ == "__main__":
    run(serve, __doc__)

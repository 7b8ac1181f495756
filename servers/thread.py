# SPDX-License-Identifier: Apache-2.0
"""A thread for each request (a client that connects anew for each one; else for each client).

Inside a thread everything is as in ``blocking``, but only this client waits. A thread is cheaper
than a process; in CPython all of them share one interpreter lock (GIL).
"""

from __future__ import annotations

import contextlib
import socket
import threading

from iotrace.servers.blocking import converse
from iotrace.servers.connection import Connection
from iotrace.servers.handler import handler
from iotrace.servers.options import Options
from iotrace.servers.program import (
    accept_each,
    announce,
    listening,
    run,
    stop_accepting_on_signal,
)
from iotrace.servers.protocol import receive_buffer


def serve(options: Options) -> None:
    """Accept, start a thread, accept again, until SIGTERM; then end every thread."""
    handle = handler()
    peers: dict[threading.Thread, socket.socket] = {}

    def serve_one(peer: socket.socket) -> None:
        try:
            converse(peer, handle, receive_buffer())
        finally:
            del peers[threading.current_thread()]

    with listening(options) as listener:
        stop_accepting_on_signal(listener)
        announce(listener)
        for peer in accept_each(listener):
            thread = threading.Thread(target=serve_one, args=(peer,))
            peers[thread] = peer
            try:
                thread.start()
            except RuntimeError as error:  # the system has no room for another one
                del peers[thread]
                Connection(peer).refuse(str(error))
    for thread, peer in list(peers.items()):
        with contextlib.suppress(OSError):  # its client has just left
            peer.shutdown(socket.SHUT_RDWR)  # its recv returns: the stream has ended
        thread.join()


if __name__ == "__main__":
    run(serve, __doc__)

# SPDX-License-Identifier: Apache-2.0
"""I/O multiplexing with epoll, edge-triggered: told once, when something changes.

epoll_wait reports that data *arrived*, not that data *is there*. Whoever does not read on until
EAGAIN leaves the rest behind, unreported, until the next data comes (--stop-early shows it).
"""

from __future__ import annotations

import select

from iotrace.servers.connection import Acceptor, Connection
from iotrace.servers.handler import Handler, handler
from iotrace.servers.options import Options
from iotrace.servers.program import announce, listening, run


def drain(connection: Connection, handle: Handler) -> None:
    """Use up the edge: send what waits, then read and answer, until EAGAIN."""
    while connection.exchange(handle):
        pass


def serve(options: Options) -> None:
    """Wait for an edge, use it up, until SIGTERM."""
    handle = handler(options.slow_handler_ns)
    connections: dict[int, Connection] = {}
    with listening(options) as listener, select.epoll() as epoll:
        acceptor = Acceptor(listener, options)
        epoll.register(listener, select.EPOLLIN | select.EPOLLET)
        announce(listener)
        while True:
            for fd, _ in epoll.poll():
                if fd == listener.fileno():
                    while newcomer := acceptor.accept():  # one edge may stand for several
                        connections[newcomer.fileno()] = newcomer
                        epoll.register(newcomer, select.EPOLLIN | select.EPOLLET)
                    continue
                connection = connections[fd]
                was_unsent = connection.unsent
                if options.stop_early_bytes:
                    connection.exchange(handle, options.stop_early_bytes)
                else:
                    drain(connection, handle)
                if connection.finished:
                    del connections[fd]
                    connection.close()
                elif connection.unsent != was_unsent:  # modify reports what is ready by now
                    event = select.EPOLLOUT if connection.unsent else select.EPOLLIN
                    epoll.modify(fd, event | select.EPOLLET)


if __name__ == "__main__":
    run(serve, __doc__, ("--stop-early", "--slow-handler-ms"))

# SPDX-License-Identifier: Apache-2.0
"""I/O multiplexing with epoll, level-triggered: the kernel keeps the list.

A descriptor is handed over once (epoll_ctl); epoll_wait returns only those that are ready, at a
price that does not grow with those that are not. Level-triggered: as long as there is something
to read, epoll_wait returns at once and says so again.
"""

from __future__ import annotations

import select

from iotrace.servers.connection import Acceptor, Connection
from iotrace.servers.handler import handler
from iotrace.servers.options import LEVEL_TRIGGERED, Options
from iotrace.servers.program import announce, listening, run


def serve(options: Options) -> None:
    """Wait for any descriptor, serve those that are ready, until SIGTERM."""
    handle = handler(options.slow_handler_ns)
    connections: dict[int, Connection] = {}
    with listening(options) as listener, select.epoll() as epoll:
        acceptor = Acceptor(listener, options)
        epoll.register(listener, select.EPOLLIN)
        announce(listener)
        while True:
            for fd, _ in epoll.poll():
                if fd == listener.fileno():
                    if newcomer := acceptor.accept():
                        connections[newcomer.fileno()] = newcomer
                        epoll.register(newcomer, select.EPOLLIN)
                    continue
                if options.no_read:
                    continue
                connection = connections[fd]
                was_unsent = connection.unsent
                connection.exchange(handle)
                if connection.finished:
                    del connections[fd]
                    connection.close()  # the kernel drops it from its list by itself
                elif connection.unsent != was_unsent:
                    epoll.modify(fd, select.EPOLLOUT if connection.unsent else select.EPOLLIN)


if __name__ == "__main__":
    run(serve, __doc__, (*LEVEL_TRIGGERED, "--slow-handler-ms"))

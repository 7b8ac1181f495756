# SPDX-License-Identifier: Apache-2.0
"""I/O multiplexing with poll: like select, without its limit.

The list of descriptors may be as long as one likes, but it is still handed over and searched
from end to end in every call: the price of a call grows with the descriptors watched.
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
    with listening(options) as listener:
        acceptor = Acceptor(listener, options)
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        announce(listener)
        while True:
            for fd, _ in poll.poll():
                if fd == listener.fileno():
                    if newcomer := acceptor.accept():
                        connections[newcomer.fileno()] = newcomer
                        poll.register(newcomer, select.POLLIN)
                    continue
                if options.no_read:
                    continue
                connection = connections[fd]
                was_unsent = connection.unsent
                connection.exchange(handle)
                if connection.finished:
                    poll.unregister(fd)
                    del connections[fd]
                    connection.close()
                elif connection.unsent != was_unsent:  # no system call: the list is our own
                    poll.modify(fd, select.POLLOUT if connection.unsent else select.POLLIN)


if __name__ == "__main__":
    run(serve, __doc__, (*LEVEL_TRIGGERED, "--slow-handler-ms"))

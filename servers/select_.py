# SPDX-License-Identifier: Apache-2.0
"""I/O multiplexing with select: sleep in one call for all descriptors at once.

select tells which of them can be used without waiting; then recv finds its data ready. That
makes two calls a message instead of one, but one thread serves everybody. The sets are built,
copied and searched anew for every call, and they end at descriptor 1023 (FD_SETSIZE).
"""

from __future__ import annotations

import select

from iotrace.servers.connection import Acceptor, Connection
from iotrace.servers.handler import handler
from iotrace.servers.limits import FD_SETSIZE
from iotrace.servers.options import LEVEL_TRIGGERED, Options
from iotrace.servers.program import announce, listening, run

REFUSAL = f"select cannot watch a descriptor above {FD_SETSIZE - 1}"


def serve(options: Options) -> None:
    """Wait for any descriptor, serve those that are ready, until SIGTERM."""
    handle = handler(options.slow_handler_ns)
    connections: dict[int, Connection] = {}
    with listening(options) as listener:
        acceptor = Acceptor(listener, options)
        reading = {listener.fileno()}
        writing: set[int] = set()
        announce(listener)
        while True:
            readable, writable, _ = select.select(reading, writing, ())
            for fd in readable + writable:
                if fd == listener.fileno():
                    if newcomer := acceptor.accept():
                        if newcomer.fileno() >= FD_SETSIZE:
                            newcomer.refuse(REFUSAL)
                        else:
                            connections[newcomer.fileno()] = newcomer
                            reading.add(newcomer.fileno())
                    continue
                if options.no_read:
                    continue
                connection = connections[fd]
                connection.exchange(handle)
                reading.discard(fd)
                writing.discard(fd)
                if connection.finished:
                    del connections[fd]
                    connection.close()
                elif connection.unsent:
                    writing.add(fd)
                else:
                    reading.add(fd)


if __name__ == "__main__":
    run(serve, __doc__, (*LEVEL_TRIGGERED, "--slow-handler-ms"))

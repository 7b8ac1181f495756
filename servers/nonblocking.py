# SPDX-License-Identifier: Apache-2.0
"""Non-blocking I/O: never sleep in a call, ask again and again instead.

Every call returns at once, most of them with EAGAIN: nobody there, nothing to read. Between two
rounds the server sleeps (--sleep-ms), and picks data up late, or it does not, and burns a CPU.
"""

from __future__ import annotations

import time

from iotrace.servers.connection import Acceptor, Connection
from iotrace.servers.handler import handler
from iotrace.servers.options import Options
from iotrace.servers.program import announce, listening, run


def serve(options: Options) -> None:
    """Poll the listener and every connection, round after round, until SIGTERM."""
    handle = handler(options.slow_handler_ns)
    connections: list[Connection] = []
    next_accept_ns = 0
    with listening(options) as listener:
        acceptor = Acceptor(listener, Options())
        announce(listener)
        while True:
            idle = True
            if time.monotonic_ns() >= next_accept_ns:
                next_accept_ns = time.monotonic_ns() + options.slow_accept_ns
                if newcomer := acceptor.accept():
                    connections.append(newcomer)
                    idle = False
            for connection in connections:
                if connection.exchange(handle):
                    idle = False
            for connection in [each for each in connections if each.finished]:
                connections.remove(connection)
                connection.close()
            if idle and options.sleep_ns:
                time.sleep(options.sleep_ns / 1e9)


if __name__ == "__main__":
    run(serve, __doc__, ("--sleep-ms", "--slow-accept-ms", "--slow-handler-ms"))

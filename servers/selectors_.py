# SPDX-License-Identifier: Apache-2.0
"""The portable selector: the best multiplexer that the system has, and a callback for each socket.

On Linux DefaultSelector is epoll, level-triggered; the calls are the same as those of ``epoll``.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable

from iotrace.servers.connection import Acceptor, Connection
from iotrace.servers.handler import handler
from iotrace.servers.options import Options
from iotrace.servers.program import announce, listening, run


def serve(options: Options) -> None:
    """Call back whoever's socket is ready, until SIGTERM."""
    handle = handler(options.slow_handler_ns)
    with listening(options) as listener, selectors.DefaultSelector() as selector:
        acceptor = Acceptor(listener, options)

        def on_newcomer() -> None:
            if newcomer := acceptor.accept():
                selector.register(newcomer, selectors.EVENT_READ, lambda: on_ready(newcomer))

        def on_ready(connection: Connection) -> None:
            was_unsent = connection.unsent
            connection.exchange(handle)
            if connection.finished:
                selector.unregister(connection)
                connection.close()
            elif connection.unsent != was_unsent:
                event = selectors.EVENT_WRITE if connection.unsent else selectors.EVENT_READ
                selector.modify(connection, event, lambda: on_ready(connection))

        selector.register(listener, selectors.EVENT_READ, on_newcomer)
        announce(listener)
        while True:
            for key, _ in selector.select():
                callback: Callable[[], None] = key.data
                callback()


if __name__ == "__main__":
    run(serve, __doc__, ("--slow-handler-ms",))

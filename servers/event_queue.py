# SPDX-License-Identifier: Apache-2.0
"""Event-driven: one loop takes events from a queue and calls the handler bound to each kind.

The selector puts events in, and so do the handlers: a message that was received is an event of
its own. Every event waits until those before it have been handled, so a slow handler
(--slow-handler-ms) delays all that follow. At the end the server tells, for each kind of event,
how long its events waited in the queue and how long they were handled.
"""

from __future__ import annotations

import selectors
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from iotrace.servers.connection import Acceptor, Connection
from iotrace.servers.handler import handler
from iotrace.servers.options import Options
from iotrace.servers.program import announce, listening, run
from iotrace.servers.protocol import Message


@dataclass(slots=True)
class Tally:
    """What one kind of event has cost so far."""

    events: int = 0
    queued_ns: int = 0
    queued_max_ns: int = 0
    handled_ns: int = 0


class EventQueue:
    """Events in the order of their arrival, and a handler for each kind."""

    def __init__(self) -> None:
        self._events: deque[tuple[str, int, tuple[object, ...]]] = deque()
        self._handlers: dict[str, Callable[..., None]] = {}
        self.tallies: dict[str, Tally] = {}

    def bind(self, kind: str, handle: Callable[..., None]) -> None:
        """Let ``handle`` be called with the arguments of each event of this kind."""
        self._handlers[kind] = handle
        self.tallies[kind] = Tally()

    def put(self, kind: str, *arguments: object) -> None:
        """Queue an event."""
        self._events.append((kind, time.monotonic_ns(), arguments))

    def handle_all(self) -> None:
        """Handle events, those that are put in meanwhile too, until there are none."""
        while self._events:
            kind, put_ns, arguments = self._events.popleft()
            start_ns = time.monotonic_ns()
            self._handlers[kind](*arguments)
            tally = self.tallies[kind]
            tally.events += 1
            tally.queued_ns += start_ns - put_ns
            tally.queued_max_ns = max(tally.queued_max_ns, start_ns - put_ns)
            tally.handled_ns += time.monotonic_ns() - start_ns


def serve(options: Options) -> None:
    """Fill the queue from the selector, empty it through the handlers, until SIGTERM."""
    work = handler(options.slow_handler_ns)
    queue = EventQueue()
    with listening(options) as listener, selectors.DefaultSelector() as selector:
        acceptor = Acceptor(listener, options)

        def on_newcomer() -> None:
            if newcomer := acceptor.accept():
                selector.register(newcomer, selectors.EVENT_READ, ("ready", newcomer))

        def on_ready(connection: Connection) -> None:
            if connection.unsent:
                connection.flush()
            for message in connection.receive() or ():
                queue.put("message", connection, message)
            queue.put("served", connection)

        def on_message(connection: Connection, message: Message) -> None:
            connection.send(work(message))

        def on_served(connection: Connection) -> None:
            if connection.finished:
                selector.unregister(connection)
                connection.close()
                return
            wanted = selectors.EVENT_WRITE if connection.unsent else selectors.EVENT_READ
            if selector.get_key(connection).events != wanted:
                selector.modify(connection, wanted, ("ready", connection))

        queue.bind("newcomer", on_newcomer)
        queue.bind("ready", on_ready)
        queue.bind("message", on_message)
        queue.bind("served", on_served)
        selector.register(listener, selectors.EVENT_READ, ("newcomer",))
        announce(listener)
        try:
            while True:
                for key, _ in selector.select():
                    queue.put(*key.data)
                queue.handle_all()
        finally:
            report(queue.tallies)


def report(tallies: dict[str, Tally]) -> None:
    """Say on stderr what the events waited and what their handlers took."""
    for kind, tally in tallies.items():
        if tally.events:
            print(
                f"{kind}: {tally.events} events,"
                f" queued {tally.queued_ns // tally.events} ns on average"
                f" and {tally.queued_max_ns} ns at most,"
                f" handled {tally.handled_ns // tally.events} ns on average",
                file=sys.stderr,
            )


if __name__ == "__main__":
    run(serve, __doc__, ("--slow-handler-ms",))

# SPDX-License-Identifier: Apache-2.0
"""What a server does between a message and its answer: the work that the client asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

from iotrace.servers.protocol import Message, Work

Handler = Callable[[Message], bytes]


def handler(slow_ns: int = 0) -> Handler:
    """The handler of a server: it works as long as the message asks, then echoes the frame.

    ``slow_ns``: sleep that much longer over each message (the slow handler of the teaching
    variants). In a server with one thread nobody else is served meanwhile.
    """
    slow_s = slow_ns / 1e9

    def handle(message: Message) -> bytes:
        if message.think_ns:
            think(message)
        if slow_s:
            time.sleep(slow_s)
        return message.frame

    return handle


def think(message: Message) -> None:
    """Spend the think time of ``message`` asleep or on a CPU (wall time in both cases)."""
    if message.work == Work.SLEEP:
        time.sleep(message.think_ns / 1e9)
        return
    end_ns = time.monotonic_ns() + message.think_ns  # needs no system call: vdso(7)
    while time.monotonic_ns() < end_ns:
        pass

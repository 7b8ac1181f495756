# SPDX-License-Identifier: Apache-2.0
"""Signal-driven I/O: the kernel sends SIGIO when something can be read, and no call waits for it.

Each socket has an owner (F_SETOWN) and O_ASYNC. SIGIO is not queued and does not say which
socket it is about: one signal may stand for several events, so the handler tries every socket
until EAGAIN. With many clients that is a lot of trying; the textbook's verdict on TCP.
(F_SETSIG would queue the signals and name the socket, but Python's handlers are not told it.)
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
from types import FrameType

from iotrace.servers.connection import Acceptor, Connection
from iotrace.servers.handler import handler
from iotrace.servers.options import Options
from iotrace.servers.program import STOP_SIGNALS, announce, listening, run

# Blocked everywhere but inside sigsuspend(2), which unblocks and sleeps in one step. With
# signal.pause() a signal could come just before the call, and the server would sleep over the
# data; Python runs a handler only after the call has returned. sigwait() would be as safe, but
# it takes the signal away without delivering it: that is waiting in a call after all.
HANDLED = {signal.SIGIO, *STOP_SIGNALS}
LIBC = ctypes.CDLL(None)
NOTHING_BLOCKED = ctypes.create_string_buffer(128)  # an empty sigset_t: 1024 bits


def notify(descriptor: int) -> None:
    """Have SIGIO sent to this process when ``descriptor`` can be used: fcntl(2)."""
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)


def serve(options: Options) -> None:
    """Sleep until a signal comes; its handler reads and answers. Until SIGTERM."""
    handle = handler(options.slow_handler_ns)
    connections: list[Connection] = []
    with listening(options) as listener:
        acceptor = Acceptor(listener, Options())

        def on_sigio(_number: int, _frame: FrameType | None) -> None:
            while newcomer := acceptor.accept():
                notify(newcomer.fileno())  # what it has sent before this is read below
                connections.append(newcomer)
            for connection in connections[:]:
                while connection.exchange(handle):
                    pass
                if connection.finished:
                    connections.remove(connection)
                    connection.close()

        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        signal.signal(signal.SIGIO, on_sigio)
        notify(listener.fileno())
        announce(listener)
        while True:
            LIBC.sigsuspend(NOTHING_BLOCKED)


if __name__ == "__main__":
    run(serve, __doc__, ("--slow-handler-ms",))

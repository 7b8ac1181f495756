# SPDX-License-Identifier: Apache-2.0
"""A process for each request (a client that connects anew for each one; else for each client).

The parent accepts and forks; the child inherits the connection and serves it as ``blocking``
does. Simple, and nothing one child does can hurt another; but a process is dear to make and to
switch to.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import traceback
from types import FrameType
from typing import NoReturn

from iotrace.servers.blocking import converse
from iotrace.servers.connection import Connection
from iotrace.servers.handler import Handler, handler
from iotrace.servers.options import Options
from iotrace.servers.program import (
    STOP_SIGNALS,
    accept_each,
    announce,
    listening,
    run,
    stop_accepting_on_signal,
)
from iotrace.servers.protocol import receive_buffer


def serve_in_child(
    listener: socket.socket, peer: socket.socket, handle: Handler, buffer: memoryview
) -> NoReturn:
    """The child's whole life. It never returns into the parent's code."""
    status = 1
    try:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        listener.close()
        converse(peer, handle, buffer)
        status = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(status)


def serve(options: Options) -> None:
    """Accept, fork, accept again, until SIGTERM; then end and reap every child."""
    handle = handler()
    buffer = receive_buffer()
    children: set[int] = set()

    def reap(_number: int, _frame: FrameType | None) -> None:
        # SIGCHLD is not queued either: one signal may stand for several children.
        with contextlib.suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                # In or out: a child may end before the parent has noted its birth.
                children.symmetric_difference_update({pid})

    with listening(options) as listener:
        stop_accepting_on_signal(listener)
        signal.signal(signal.SIGCHLD, reap)
        announce(listener)
        for peer in accept_each(listener):
            try:
                pid = os.fork()
            except OSError as error:  # the system has no room for another one
                Connection(peer).refuse(str(error))
                continue
            if pid == 0:
                serve_in_child(listener, peer, handle, buffer)
            children.symmetric_difference_update({pid})
            peer.close()  # the child has its own
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for pid in children:
        os.kill(pid, signal.SIGKILL)  # one just born would take SIGTERM for its parent's
        os.waitpid(pid, 0)


if __name__ == "__main__":
    run(serve, __doc__)

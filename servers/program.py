# SPDX-License-Identifier: Apache-2.0
"""What all reference servers do alike: start, say that they are ready, end on SIGTERM."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from iotrace.servers.limits import raise_descriptor_limit
from iotrace.servers.options import Options, parse

from iotrace.errors import ExitCode, IotraceError

BACKLOG = 4096
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(serve: Callable[[Options], None], description: str, variants: Sequence[str] = ()) -> None:
    """Parse the command line and serve until SIGTERM or SIGINT, which end in exit status 0."""
    options = parse(description, variants)
    raise_descriptor_limit()
    try:
        serve(options)
    except IotraceError as error:
        for line in filter(None, (error.what, error.why, error.paste)):
            print(line, file=sys.stderr)
        sys.exit(error.code)


@contextmanager
def listening(options: Options) -> Iterator[socket.socket]:
    """A listening socket. SIGTERM and SIGINT raise SystemExit(0) in the main thread.

    A signal in the very moment between Python's check for signals and the next blocking call is
    noticed only when that call returns; whoever stops a server therefore asks again after a
    while (``launch`` does).
    """
    for number in STOP_SIGNALS:
        signal.signal(number, _leave)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        listener = socket.create_server(
            (options.host, options.port), family=family, backlog=BACKLOG
        )
    except (OSError, OverflowError) as error:
        raise IotraceError(
            f"cannot listen on {options.host} port {options.port}", why=str(error)
        ) from error
    with listener:
        # Accepted sockets inherit it (tcp(7)): an answer never waits for the peer's delayed ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def announce(listener: socket.socket) -> None:
    """Print ``ready <port>``: from now on clients are served."""
    print(f"ready {listener.getsockname()[1]}", flush=True)


def stop_accepting_on_signal(listener: socket.socket) -> None:
    """Let SIGTERM and SIGINT end the listener instead: accept then fails, with no exception
    in the midst of other work. For servers that have children or threads to look after.

    On Linux shutdown(2) wakes an accept(2), which returns EINVAL.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        with suppress(OSError):  # asked twice: it is shut down or closed already
            listener.shutdown(socket.SHUT_RDWR)

    for number in STOP_SIGNALS:
        signal.signal(number, stop)


def accept_each(listener: socket.socket) -> Iterator[socket.socket]:
    """Every connection that a blocking listener takes, until the listener is shut down."""
    while True:
        try:
            peer, _ = listener.accept()
        except ConnectionAbortedError:  # it came and went while it waited for us
            continue
        except OSError as error:
            if error.errno == errno.EINVAL:  # shut down: see stop_accepting_on_signal
                return
            raise
        yield peer


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(ExitCode.OK)

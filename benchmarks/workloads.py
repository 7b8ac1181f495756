# SPDX-License-Identifier: Apache-2.0
"""What is traced: servers under load, and loops of nothing but system calls.

The traced processes run on CPU 0, whatever loads them on CPU 1 (if there are two).
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.counter import Counter
from benchmarks.process_group import (
    LOAD_CPU,
    SERVER_CPU,
    ProcessGroup,
    free_port,
    native,
    require,
    wait_until_listening,
)

CONNECTIONS = 50
"""Of the echo workload."""
_REQUESTS_UNDER_WAY = 4


@dataclass(frozen=True, slots=True)
class Running:
    """A workload: ``pid`` is what a tracer is to attach to; it idles until its load begins."""

    pid: int
    counter: Counter
    begin_load: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Workload:
    """``calls``: of each operation, by name: what a tracer that loses nothing has counted."""

    name: str
    title: str
    load: str
    start: Callable[[ProcessGroup, Counter], Running]
    calls: tuple[str, ...] = ()
    python: bool = True

    @contextlib.contextmanager
    def running(self, wanted: int = 0) -> Iterator[Running]:
        """The program inside; it ends its work after ``wanted`` operations. Raises Missing."""
        with Counter(wanted) as counter, ProcessGroup() as group:
            yield self.start(group, counter)

    @contextlib.contextmanager
    def loaded(self) -> Iterator[Running]:
        """The same under load, warmed up."""
        with self.running() as running:
            running.begin_load()
            running.counter.wait_until(100)
            running.counter.window(0.5)
            yield running


def _ping_pong(group: ProcessGroup, counter: Counter) -> Running:
    return _messages(group, counter, "ping_pong.py", 1)


def _echo(group: ProcessGroup, counter: Counter) -> Running:
    return _messages(group, counter, "echo.py", CONNECTIONS)


def _messages(group: ProcessGroup, counter: Counter, program: str, connections: int) -> Running:
    listener = group.listener()
    pid = group.program(program, counter.path, listener.fileno(), fds=(listener.fileno(),))
    return Running(
        pid, counter, lambda: _native_load(group, "messages", _port(listener), connections)
    )


def _storm(group: ProcessGroup, counter: Counter) -> Running:
    return Running(group.program("storm.py", counter.path), counter, counter.go)


def _native(group: ProcessGroup, counter: Counter) -> Running:
    pid = group.start(native(), "eagain", counter.path, 1, cpu=SERVER_CPU)
    return Running(pid, counter, counter.go)


def _bystander(group: ProcessGroup, counter: Counter) -> Running:
    _native(group, counter)
    return Running(group.start("sleep", "infinity", cpu=LOAD_CPU), counter, counter.go)


def _gunicorn(group: ProcessGroup, counter: Counter) -> Running:
    return _web_server(group, counter, "gunicorn", ("--bind", "{}", "apps:wsgi"), keep=False)


def _uvicorn(group: ProcessGroup, counter: Counter) -> Running:
    # uvicorn takes a socket that is handed over for a unix socket: without TCP_NODELAY, each
    # answer would wait for an acknowledgement.
    address = ("--host", "127.0.0.1", "--port", "{port}")
    options = (*address, "--loop", "uvloop", "--no-access-log", "apps:asgi")
    return _web_server(group, counter, "uvicorn", options, keep=True)


def _web_server(
    group: ProcessGroup, counter: Counter, module: str, options: tuple[str, ...], *, keep: bool
) -> Running:
    require(module)
    port = free_port()
    arguments = [option.format(f"127.0.0.1:{port}", port=port) for option in options]
    pid = group.start(
        sys.executable, "-m", module, *arguments, cpu=SERVER_CPU, counter=counter.path
    )
    wait_until_listening(port)
    return Running(pid, counter, lambda: _http_load(group, port, keep))


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _native_load(group: ProcessGroup, kind: str, *arguments: object) -> None:
    counter = group.enter_context(Counter())
    group.start(native(), kind, counter.path, *arguments, cpu=LOAD_CPU)


def http_load() -> str:
    """What loads the HTTP servers here."""
    return "wrk" if shutil.which("wrk") else "a C program"


def _http_load(group: ProcessGroup, port: int, keep: bool) -> None:
    if shutil.which("wrk"):
        url = f"http://127.0.0.1:{port}/"
        options = ("-t", 1, "-c", _REQUESTS_UNDER_WAY, "-d", "1h")
        group.start("wrk", *options, url, cpu=LOAD_CPU)
    else:
        _native_load(group, "requests", port, _REQUESTS_UNDER_WAY, "keep" if keep else "close")


WORKLOADS = (
    Workload(
        "ping-pong",
        "blocking ping-pong",
        "a C program, 1 connection",
        _ping_pong,
        ("recvfrom", "sendto"),
    ),
    Workload(
        "echo",
        f"epoll echo, {CONNECTIONS} connections, saturated",
        "a C program, a message under way on each connection",
        _echo,
        ("recvfrom", "sendto"),
    ),
    Workload("storm", "EAGAIN storm in Python", "none", _storm, ("recvfrom",)),
    Workload("gunicorn", "gunicorn, 1 sync worker", "HTTP, a connection each", _gunicorn),
    Workload("uvicorn", "uvicorn on uvloop", "HTTP, connections kept", _uvicorn),
    Workload("native", "recv(EAGAIN) in a C loop", "none", _native, ("recvfrom",), False),
    Workload("bystander", "such a loop beside the traced process", "none", _bystander, (), False),
)

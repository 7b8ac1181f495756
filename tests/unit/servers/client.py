"""A plain blocking client, and what the kernel says about a server: for tests only."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from iotrace.servers.catalog import MODELS, ServerModel
from iotrace.servers.protocol import Decoder, Message

from tests import waiting

DEADLINE_S = 10.0


def dial(port: int, *, receive_buffer_bytes: int | None = None) -> socket.socket:
    """A connection that gives up on any call after the deadline."""
    sock = socket.socket()
    sock.settimeout(DEADLINE_S)
    if receive_buffer_bytes is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    sock.connect(("127.0.0.1", port))
    return sock


def read_message(sock: socket.socket) -> Message:
    """The next whole message; fails when the server hangs up before."""
    decoder = Decoder()
    while data := sock.recv(1 << 16):
        messages = decoder.feed(data)
        if messages:
            (message,) = messages
            return message
    raise AssertionError("the server hung up")


def read_to_end(sock: socket.socket) -> bytes:
    """Everything until the server hangs up, politely or not."""
    data = b""
    try:
        while piece := sock.recv(1 << 16):
            data += piece
    except ConnectionResetError:
        pass
    return data


def wait_until(condition: Callable[[], bool], what: str = "it to come to pass") -> None:
    """As everywhere, by the deadline of these tests."""
    waiting.wait_until(condition, what, deadline_s=DEADLINE_S)


def is_closed(port: int) -> bool:
    """Nobody listens on the port."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def processes_of_session(session: int) -> dict[int, str]:
    """The processes of a session, by id, with their state letter (Z: a zombie): proc(5)."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == session:
                found[int(entry.name)] = fields[0]
    return found


def open_descriptors(pid: int) -> int:
    """How many descriptors a process has."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads_of(pid: int) -> list[int]:
    """The threads of a process, by id. One that is traced is among them until its tracer has taken
    note of its end: ptrace(2)."""
    return [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]


def cpu_ns(pid: int) -> int:
    """CPU time of a process's main thread: the first figure of its schedstat."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def runnable_ns(pid: int) -> int:
    """For how long that thread has run or wanted to: on a busy machine, too, all but its sleep."""
    ran, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(ran) + int(waited)


def model_parameters(
    *, without: Sequence[str] = (), only: Sequence[str] = tuple(model.id for model in MODELS)
) -> list[Any]:
    """Models, by their ids; where one cannot run, its tests are skipped with the reason."""

    def marks(model: ServerModel) -> list[pytest.MarkDecorator]:
        reason = model.unavailable()
        return [pytest.mark.skip(reason=reason)] if reason else []

    return [
        pytest.param(model, id=model.id, marks=marks(model))
        for model in MODELS
        if model.id in only and model.id not in without
    ]

"""The ten servers whose ledgers must close."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel.targets import PROGRAMS
from tests.kernel.web_load import fetch
from tests.waiting import DEADLINE_S


@dataclass(frozen=True, slots=True)
class WebServer:
    """A server; ``{fd}`` in its arguments is its listening socket, ``clients`` its load."""

    name: str
    arguments: tuple[str, ...]
    clients: int = 2
    needs: str | None = None


def _own(make: str, clients: int = 2) -> WebServer:
    return WebServer(make, (str(PROGRAMS / "http_servers.py"), make, "{fd}"), clients)


def gunicorn(worker: str, workers: int, *more: str) -> tuple[str, ...]:
    """Arguments that run gunicorn with so many workers of a class."""
    options = ("--bind", "fd://{fd}", "-k", worker, "-w", str(workers), *more)
    return "-m", "gunicorn", *options, "web_app:wsgi"


SERVERS = (
    _own("asyncio"),
    WebServer(
        "uvicorn-uvloop",
        ("-m", "uvicorn", "--fd", "{fd}", "--loop", "uvloop", "--no-access-log", "web_app:asgi"),
        needs="uvloop",
    ),
    WebServer("gunicorn-sync", gunicorn("sync", 2), needs="gunicorn"),
    WebServer("gunicorn-gthread", gunicorn("gthread", 2, "--threads", "3"), needs="gunicorn"),
    _own("threading"),
    _own("pool"),
    _own("fork"),
    _own("poller"),
    _own("hog", clients=1),
    _own("idle", clients=0),
)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    pid: int
    address: tuple[str, int]


@contextmanager
def running(server: WebServer) -> Iterator[Running]:
    """Run it inside, from when it has answered once; it and its children are ended afterwards."""
    if server.needs and importlib.util.find_spec(server.needs) is None:
        pytest.skip(f"needs {server.needs}: pip install 'iotrace[servers-under-test]'")
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        fd = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, *(part.format(fd=fd) for part in server.arguments)],
            pass_fds=(fd,),
            cwd=PROGRAMS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        address = listener.getsockname()
    try:
        assert fetch(address).endswith(b"hello\n")
        yield Running(process.pid, address)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=DEADLINE_S)


def is_asleep(pid: int) -> bool:
    """Whether every thread of a process is asleep."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "S":
                return False
    return True

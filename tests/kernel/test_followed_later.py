"""A process that joins a trace in the middle of its work."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kernel.command import started, wait_until_tracing
from tests.kernel.targets import PROGRAMS
from tests.waiting import DEADLINE_S, wait_until


@contextlib.contextmanager
def _server(port: int) -> Iterator[tuple[int, int]]:
    """Its pid and port."""
    program = [sys.executable, str(PROGRAMS / "same_port.py"), str(port)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.pid, int(process.stdout.readline())
        finally:
            process.kill()


def _request(connection: socket.socket) -> tuple[int, int]:
    """Who answered, and how long that took."""
    began = time.monotonic_ns()
    connection.sendall(b"x")
    answer = connection.recv(7, socket.MSG_WAITALL)
    return int(answer), time.monotonic_ns() - began


def _connection_to(pid: int, port: int, open_ones: contextlib.ExitStack) -> socket.socket:
    """The kernel spreads connections over those that share a port. The server of the others is
    left waiting for their end: they are closed with the rest."""
    while True:
        connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
        if _request(connection)[0] == pid:
            return connection
        connection.close()


@pytest.mark.parametrize("detail", ["full", pytest.param("sockets", marks=pytest.mark.thorough)])
def test_requests_before_it_joins_make_no_latency(detail: str) -> None:
    with contextlib.ExitStack() as ends:
        first, port = ends.enter_context(_server(0))
        process = ends.enter_context(
            started("attach", "--port", port, "--follow", "-f", "jsonl", "-i", "0.2",
                    "--detail", detail, "--by", "worker")
        )  # fmt: skip
        wait_until_tracing(process)
        second, _ = ends.enter_context(_server(port))
        connection = _connection_to(second, port, ends)
        took: list[int] = []
        joined: list[dict[str, Any]] = []
        assert process.stdout is not None

        def joins() -> bool:
            assert process.stdout is not None
            took.extend(_request(connection)[1] for _ in range(10))
            report = json.loads(process.stdout.readline())
            joined.extend(one for one in report["processes"] if one["pid"] == second)
            return bool(joined)

        wait_until(joins, "the second to join")
        took.extend(_request(connection)[1] for _ in range(20))
        process.terminate()
        rest, _ = process.communicate(timeout=DEADLINE_S)
        assert first != second
    report = json.loads(rest.splitlines()[-1])
    [found] = [one for one in report["processes"] if one["pid"] == second]
    [requests] = found["requests"]
    # The first that is seen may be a later part of one before.
    assert 20 <= requests["exchanges"] + requests["undated"] < len(took)
    assert requests["undated"] <= 1
    assert requests["latency_ns"]["max"] <= max(took)

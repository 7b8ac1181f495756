# SPDX-License-Identifier: Apache-2.0
"""Clients that a service keeps waiting, or that keep a service busy for nothing."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.found import Found, by_rule
from tests.kernel.targets import Target
from tests.kernel.tracing import trace_work

_LINES, _PAUSE_S = 90, 0.15
"""Of an answer that is longer than its client waits, and that takes as many headers as it may."""
_NIL = b"$-1\r\n"


def _trickle(connection: socket.socket) -> None:
    """Headers line by line; the short answer is over after half a second."""
    lines = 5 if b"/short" in connection.recv(4096) else _LINES
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(lines):
        time.sleep(_PAUSE_S)
        connection.sendall(b"x-%d: 1\r\n" % number)
    connection.sendall(b"\r\n")


def _say_no(connection: socket.socket) -> None:
    while connection.recv(64):
        connection.sendall(_NIL)


@contextmanager
def _service(serve: Callable[[socket.socket], None], address: str = "127.0.0.1") -> Iterator[int]:
    """Each connection is served by a thread."""
    listener = socket.create_server((address, 0))

    def served(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            serve(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=served, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _found(what: str, form: str, port: int, *more: object) -> Found:
    with Target("clients.py", what, port, form, *more) as target:
        return by_rule(trace_work(target, children=False).findings)


@pytest.mark.parametrize("form", ["wrong", "fixed"])
def test_an_answer_without_an_end_is_named(form: str) -> None:
    """IO195."""
    with _service(_trickle) as port:
        found = _found("endless", form, port)
    assert ("IO195" in found) is (form == "wrong"), found.keys()
    if form == "wrong":
        evidence = found["IO195"].evidence
        assert evidence["peer"] == f"127.0.0.1:{port}"
        assert 0 < evidence["bytes_per_second"] < 1_000
        assert evidence["waited_ns"] >= 4e9


@pytest.mark.parametrize("form", ["wrong", "fixed"])
def test_asking_without_a_pause_is_named(form: str) -> None:
    """IO196."""
    with _service(_say_no) as port:
        found = _found("asks on", form, port)
    assert ("IO196" in found) is (form == "wrong"), found.keys()
    if form == "wrong":
        evidence = found["IO196"].evidence
        assert evidence["peer"] == f"127.0.0.1:{port}"
        assert evidence["questions_per_second"] >= 500
        assert evidence["bytes_per_answer"] == pytest.approx(len(_NIL), rel=0.02)


def _acknowledge(connection: socket.socket) -> None:
    """A byte for each piece, 20 ms after it has come: so far away is it."""
    came: queue.SimpleQueue[float] = queue.SimpleQueue()

    def answer() -> None:
        with suppress(OSError):
            while when := came.get():
                time.sleep(max(0, when + 0.02 - time.monotonic()))
                connection.sendall(b"k")

    threading.Thread(target=answer, daemon=True).start()
    while connection.recv(8_192, socket.MSG_WAITALL):
        came.put(time.monotonic())
    came.put(0)


@pytest.mark.parametrize("form", ["wrong", "fixed"])
def test_a_transfer_that_waits_for_each_piece_is_named(form: str) -> None:
    """IO205."""
    with _service(_acknowledge) as port:
        found = _found("transfers", form, port)
    assert ("IO205" in found) is (form == "wrong"), found.keys()
    if form == "wrong":
        evidence = found["IO205"].evidence
        assert evidence["peer"] == f"127.0.0.1:{port}"
        assert evidence["pieces"] == pytest.approx(100, abs=2)
        assert evidence["bytes_per_piece"] == pytest.approx(8_192, rel=0.03)
        assert evidence["round_trip_p50_ns"] == pytest.approx(20e6, rel=0.3)


_CONSUMER = """
import socket

def start_consuming(port, callback, count):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"broker")
    while count:
        try:
            if connection.recv(1):
                count -= 1
                callback()
                connection.sendall(b".")
                continue
        except OSError:
            pass
        connection.close()
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(b"broker")
"""
_PATIENCE_S, _SLOW_S = 0.5, 1.2


def _broker_and_service(connection: socket.socket) -> None:
    asked = connection.recv(16)
    if asked != b"broker":
        time.sleep(_SLOW_S if asked == b"slow" else 0.01)
        connection.sendall(b"!")
        return
    connection.settimeout(_PATIENCE_S)
    with suppress(TimeoutError):
        while True:
            connection.sendall(b"m")
            connection.recv(1)
            time.sleep(0.1)


@pytest.mark.parametrize("form", ["wrong", "fixed"])
def test_callbacks_that_lose_their_connection_are_named(form: str, tmp_path: Path) -> None:
    """IO197. The service has the same port at another address."""
    library = tmp_path / "site-packages" / "pika"
    library.mkdir(parents=True)
    (library / "__init__.py").touch()
    (library / "consumer.py").write_text(_CONSUMER)
    with _service(_broker_and_service, "") as port:
        found = _found("calls back", form, port, library.parent)
    assert ("IO197" in found) is (form == "wrong"), found.keys()
    if form == "wrong":
        evidence = found["IO197"].evidence
        assert evidence["peer"] == f"127.0.0.1:{port}"
        assert 1 <= evidence["reconnects"] <= 3
        assert evidence["longest_ns"] >= 1.1e9

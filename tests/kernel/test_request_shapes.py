"""Requests of many shapes, each counted and dated as docs/requests.md says in its table."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from iotrace.report.requests import Requests
from tests.kernel.targets import Target
from tests.kernel.test_requests import check_parts
from tests.kernel.tracing import report_of, tracing
from tests.waiting import DEADLINE_S

_REQUESTS = 11
_CONNECTIONS = 3
_DELAY_NS = 5_000_000
"""DELAY_S of the program."""
_HTTP = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _ask(connection: socket.socket, *pieces: bytes) -> None:
    for piece in pieces[:-1]:
        connection.sendall(piece)
        time.sleep(_DELAY_NS / 1e9)
    connection.sendall(pieces[-1])
    answer = b""
    while not answer.endswith(b"ok\n"):
        piece = connection.recv(4096)
        assert piece, answer
        answer += piece


def _ask_to_go_on(connection: socket.socket) -> None:
    connection.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n")
    assert connection.recv(4096).startswith(b"HTTP/1.1 100")
    _ask(connection, b"body\n")


def _connection(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _keep(port: int, ask: Callable[[socket.socket], None]) -> None:
    with _connection(port) as connection:
        for _ in range(_REQUESTS):
            ask(connection)


def _anew(port: int, ask: Callable[[socket.socket], None]) -> None:
    for _ in range(_REQUESTS):
        with _connection(port) as connection:
            ask(connection)


def _encrypted(port: int) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    for _ in range(_CONNECTIONS):
        with context.wrap_socket(_connection(port)) as connection:
            for _ in range(_REQUESTS):
                _ask(connection, b"?\n")


def _datagrams(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as endpoint:
        endpoint.connect(("127.0.0.1", port))
        for _ in range(_REQUESTS):
            endpoint.send(b"?\n")
            assert endpoint.recv(100) == b"ok\n"


def _lines(*pieces: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: _ask(connection, *pieces)


@dataclass(frozen=True, slots=True)
class Shape:
    """``exchanges`` that its load makes, each of which takes 5 ms in ``state`` of its service.

    ``quick``: further ones, which take no time.
    """

    load: Callable[[int], None]
    state: str = "sleep"
    exchanges: int = _REQUESTS
    quick: int = 0


_SHAPES = {
    "threading": Shape(partial(_keep, ask=_lines(_HTTP))),
    "fork": Shape(partial(_anew, ask=_lines(_HTTP))),
    "reuse_port": Shape(partial(_anew, ask=_lines(b"?\n"))),
    "stream": Shape(partial(_keep, ask=_lines(b"?\n"))),
    "sendfile": Shape(partial(_keep, ask=_lines(b"?\n"))),
    "upload": Shape(partial(_keep, ask=_lines(b"head", b"body", b"end\n"))),
    "go_on": Shape(partial(_keep, ask=_ask_to_go_on), quick=_REQUESTS),
    "tls": Shape(_encrypted, exchanges=_CONNECTIONS * _REQUESTS, quick=2 * _CONNECTIONS),
    "to_thread": Shape(partial(_keep, ask=_lines(b"?\n")), state="poll"),
    "executor": Shape(partial(_keep, ask=_lines(b"?\n")), state="poll"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Requests]]:
    """The rows of each shape, after its load: one trace for all of them."""
    file = tmp_path_factory.mktemp("shapes") / "answer"
    file.write_bytes(b"ok\n")
    with Target("request_shapes.py", file) as target:
        ports: dict[str, int] = target.facts["ports"]
        with tracing(target.pid) as trace:
            for name, shape in _SHAPES.items():
                shape.load(ports[name])
            _datagrams(ports["udp"])
            report = report_of(trace)
    rows = [row for process in report.processes for row in process.requests]
    return {
        name: [row for row in rows if row.listener.endswith(f":{port}")]
        for name, port in ports.items()
    }


@pytest.mark.parametrize("name", _SHAPES)
def test_each_is_counted_once_and_split_exactly(
    name: str, served: dict[str, list[Requests]]
) -> None:
    shape, rows = _SHAPES[name], served[name]
    for row in rows:
        check_parts(row)
        assert (row.unknown, row.unanswered, row.several_at_once) == (0, 0, 0), row
    assert sum(row.exchanges for row in rows) == shape.exchanges + shape.quick
    in_state_ns = sum(tier.service_ns.get(shape.state, 0) for row in rows for tier in row.tiers)
    assert in_state_ns >= shape.exchanges * _DELAY_NS


def test_the_first_byte_of_a_stream_is_told_from_its_last(
    served: dict[str, list[Requests]],
) -> None:
    (row,) = served["stream"]
    assert row.latency_ns is not None
    assert row.last_byte_ns is not None
    assert row.last_byte_ns.p50 > 2.5 * _DELAY_NS
    assert row.latency_ns.p50 < row.last_byte_ns.p50 - 1.5 * _DELAY_NS


def test_what_is_uploaded_slowly_is_waited_for_in_the_service(
    served: dict[str, list[Requests]],
) -> None:
    (row,) = served["upload"]
    waited_ns = sum(tier.service_ns.get("recv", 0) for tier in row.tiers)
    assert waited_ns >= 1.5 * _REQUESTS * _DELAY_NS, "two pieces come 5 ms late each"


def test_datagrams_are_no_exchanges(served: dict[str, list[Requests]]) -> None:
    assert served["udp"] == []

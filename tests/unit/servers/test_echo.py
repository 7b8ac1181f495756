"""Every server echoes every byte, whatever its clients do to it."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator

import pytest
from iotrace.servers.catalog import ServerModel
from iotrace.servers.launch import RunningServer, running
from iotrace.servers.load import run_load
from iotrace.servers.load_plan import LoadPlan
from iotrace.servers.protocol import Work, encode

from tests.unit.servers.client import (
    cpu_ns,
    dial,
    model_parameters,
    open_descriptors,
    processes_of_session,
    read_message,
    read_to_end,
    wait_until,
)

MEBIBYTE = 1 << 20
MILLISECOND_NS = 10**6
SMALL = encode(b"ping", sequence=3)
# More than both kernels' buffers hold: tcp_wmem(5) and tcp_rmem(5) end at 4 and 6 MiB.
BIG = encode(bytes(range(256)) * (16 * MEBIBYTE // 256), sequence=5)
CONCURRENT = ("asyncio", "fork", "thread")

Served = tuple[ServerModel, RunningServer, int]


@pytest.fixture(scope="module", params=model_parameters())
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A model and its server, which all tests of this file use one after the other, and how many
    descriptors it has without clients."""
    model: ServerModel = request.param
    with running(model.module) as server:
        yield model, server, open_descriptors(server.pid)


@pytest.fixture
def model(served: Served) -> ServerModel:
    return served[0]


@pytest.fixture
def server(served: Served) -> RunningServer:
    return served[1]


def assert_serves(server: RunningServer) -> None:
    with dial(server.port) as sock:
        sock.sendall(SMALL)
        assert read_message(sock).frame == SMALL


@pytest.mark.parametrize(
    ("plan", "requests"),
    [
        ({"connections": 7, "requests": 161}, 161),
        ({"connections": 3, "requests": 31, "reconnect": True}, 31),
        ({"connections": 2, "requests": 46, "pipeline": 5}, 46),
        ({"connections": 3, "requests": 7, "payload_bytes": MEBIBYTE}, 7),
        ({"connections": 1, "requests": 11, "payload_bytes": 0}, 11),
    ],
    ids=["connections", "reconnect", "pipeline", "mebibyte", "empty"],
)
def test_every_byte_comes_back(server: RunningServer, plan: dict[str, int], requests: int) -> None:
    result = run_load(LoadPlan(port=server.port, **plan))  # type: ignore[arg-type]
    assert result.errors == {}
    assert result.requests == requests


def test_an_answer_goes_out_in_parts_to_a_client_that_reads_slowly(
    server: RunningServer,
) -> None:
    with dial(server.port, receive_buffer_bytes=4096) as sock:
        sock.sendall(BIG)
        assert read_message(sock).frame == BIG


def test_a_client_that_has_said_its_last_word_gets_its_answer(server: RunningServer) -> None:
    with dial(server.port) as sock:
        sock.sendall(SMALL + BIG)
        sock.shutdown(socket.SHUT_WR)
        assert read_to_end(sock) == SMALL + BIG


@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
@pytest.mark.parametrize(
    "data", [b"", SMALL[:7], SMALL[:-1], BIG], ids=["silent", "header", "payload", "unread"]
)
def test_a_client_that_hangs_up_is_forgotten(served: Served, data: bytes, reset: bool) -> None:
    _, server, descriptors = served
    with dial(server.port) as sock:
        sock.sendall(data)
        if reset:  # linger for 0 s: close(2) sends a reset (socket(7))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert_serves(server)
    wait_until(lambda: open_descriptors(server.pid) == descriptors)
    wait_until(lambda: processes_of_session(server.pid).keys() == {server.pid})


def test_nonsense_ends_the_connection_and_nothing_else(server: RunningServer) -> None:
    with dial(server.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert read_to_end(sock) == b""
    assert_serves(server)


def test_only_the_blocking_server_lets_the_second_client_wait(
    model: ServerModel, server: RunningServer
) -> None:
    with dial(server.port) as first, dial(server.port) as second:
        first.sendall(SMALL)
        assert read_message(first).frame == SMALL
        second.sendall(SMALL)
        if model.id == "blocking":
            for _ in range(23):
                first.sendall(SMALL)
                assert read_message(first).frame == SMALL
            assert select.select([second], [], [], 0) == ([], [], [])
            first.close()
        assert read_message(second).frame == SMALL


def test_a_client_that_does_not_read_holds_up_nobody_but_the_blocking_server(
    model: ServerModel, server: RunningServer
) -> None:
    with dial(server.port) as rude, dial(server.port) as other:
        rude.sendall(BIG)
        other.sendall(SMALL)
        if model.id == "blocking":
            assert select.select([other], [], [], 0) == ([], [], [])
            rude.close()
        assert read_message(other).frame == SMALL


@pytest.mark.parametrize("work", list(Work), ids=lambda work: work.name.lower())
def test_the_handler_works_as_long_as_the_message_asks(
    model: ServerModel, server: RunningServer, work: Work
) -> None:
    before_ns = cpu_ns(server.pid)
    think_ns = 50 * MILLISECOND_NS
    result = run_load(LoadPlan(port=server.port, requests=3, think_ns=think_ns, work=work))
    assert result.errors == {}
    assert result.latency_ns is not None
    assert result.latency_ns.p50 >= think_ns
    if work is Work.SLEEP and model.id != "nonblocking":
        assert cpu_ns(server.pid) - before_ns < 3 * think_ns


def test_clients_think_at_the_same_time_where_the_model_allows_it(
    model: ServerModel, server: RunningServer
) -> None:
    think_ns = 40 * MILLISECOND_NS
    result = run_load(LoadPlan(port=server.port, connections=5, think_ns=think_ns))
    assert result.requests == 5
    if model.id in CONCURRENT:
        assert result.duration_ns < 5 * think_ns
    else:
        assert result.duration_ns >= 5 * think_ns

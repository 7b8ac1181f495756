"""The load notices everything that can go wrong, and its figures are right."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import struct
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from iotrace.servers.launch import RunningServer, running
from iotrace.servers.load import main, run_load
from iotrace.servers.load_plan import LoadPlan, Times, times
from iotrace.servers.protocol import HEADER_BYTES, Decoder, Status, encode

from iotrace.errors import ExitCode, IotraceError, UsageError

MILLISECOND_NS = 10**6
PATIENCE_NS = 100 * MILLISECOND_NS


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server that does nothing wrong."""
    with running("epoll") as server:
        yield server


@contextlib.contextmanager
def toy_server(serve: Callable[[socket.socket], object], clients: int = 1) -> Iterator[int]:
    """The port of a server that treats each of so many clients, in turn, as ``serve`` does."""

    def run(listener: socket.socket) -> None:
        for _ in range(clients):
            with listener.accept()[0] as peer:
                serve(peer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


def request_of(peer: socket.socket) -> bytes:
    """The first request that comes."""
    decoder = Decoder()
    while not (messages := decoder.feed(peer.recv(1 << 16))):
        pass
    return messages[0].frame


def until_it_leaves(peer: socket.socket) -> None:
    while peer.recv(1 << 16):
        pass


@pytest.mark.parametrize("position", [0, 1, HEADER_BYTES - 1, HEADER_BYTES, -1])
def test_one_wrong_byte_is_a_mismatch(position: int) -> None:
    def serve(peer: socket.socket) -> None:
        answer = bytearray(request_of(peer))
        answer[position] ^= 0x20
        peer.sendall(answer)
        until_it_leaves(peer)

    with toy_server(serve) as port:
        result = run_load(LoadPlan(port=port, requests=1, payload_bytes=23))
    assert result.errors == {"mismatch": 1}
    assert (result.requests, result.bytes, result.latency_ns) == (0, 0, None)


def test_the_answer_to_another_request_is_a_mismatch() -> None:
    def serve(peer: socket.socket) -> None:
        first = request_of(peer)
        peer.sendall(first)
        request_of(peer)
        peer.sendall(first)
        until_it_leaves(peer)

    with toy_server(serve) as port:
        result = run_load(LoadPlan(port=port, requests=5))
    assert result.requests == 1
    assert result.errors == {"mismatch": 1}


def test_an_answer_too_many_is_a_mismatch() -> None:
    def serve(peer: socket.socket) -> None:
        request = request_of(peer)
        peer.sendall(request + request)
        until_it_leaves(peer)

    with toy_server(serve) as port:
        result = run_load(LoadPlan(port=port, requests=2, delay_ns=50 * MILLISECOND_NS))
    assert result.requests == 1
    assert result.errors == {"mismatch": 1}


def test_a_stream_that_ends_amidst_an_answer_is_closed() -> None:
    with toy_server(lambda peer: peer.sendall(request_of(peer)[:-1])) as port:
        result = run_load(LoadPlan(port=port, requests=3))
    assert result.errors == {"closed": 1, "unanswered": 1}


def test_a_reset_is_told() -> None:
    def serve(peer: socket.socket) -> None:
        request_of(peer)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with toy_server(serve) as port:
        result = run_load(LoadPlan(port=port, requests=3))
    assert result.errors == {"reset": 1, "unanswered": 1}


def test_a_server_that_is_silent_is_given_up() -> None:
    with toy_server(until_it_leaves) as port:
        result = run_load(LoadPlan(port=port, requests=2, pipeline=2, timeout_ns=PATIENCE_NS))
    assert result.errors == {"unanswered": 2}


def test_the_patience_counts_from_the_last_request_and_beyond_the_think_time() -> None:
    with running("blocking") as server:
        plan = LoadPlan(
            port=server.port,
            requests=3,
            delay_ns=2 * PATIENCE_NS,
            think_ns=2 * PATIENCE_NS,
            timeout_ns=PATIENCE_NS,
        )
        result = run_load(plan)
    assert (result.requests, result.errors) == (3, {})


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = run_load(LoadPlan(port=port, connections=3, requests=9))
    assert result.errors == {"connect": 3}
    assert result.connect_ns is None


@pytest.mark.parametrize("payload_bytes", [0, 1000])
def test_a_refusal_is_told_in_the_server_s_words_but_cannot_control_a_terminal(
    payload_bytes: int,
) -> None:
    refusal = encode(b"no \x1b[31mroom\n", status=Status.REFUSED)
    with toy_server(lambda peer: (request_of(peer), peer.sendall(refusal))) as port:
        result = run_load(LoadPlan(port=port, payload_bytes=payload_bytes))
    assert result.errors == {"refused": 1, "unanswered": 1}
    assert result.refusals == ("no ?[31mroom?",)


def test_with_reconnect_a_lost_connection_costs_one_request() -> None:
    def serve(peer: socket.socket) -> None:
        if next(turns):
            peer.sendall(request_of(peer))
            until_it_leaves(peer)
        else:
            request_of(peer)

    turns = iter([True, False, True, True, True])
    with toy_server(serve, clients=5) as port:
        result = run_load(LoadPlan(port=port, requests=5, reconnect=True))
    assert result.requests == 4
    assert result.errors == {"closed": 1, "unanswered": 1}


def test_bytes_and_counts_add_up(server: RunningServer) -> None:
    result = run_load(LoadPlan(port=server.port, connections=5, requests=101, payload_bytes=997))
    assert result.errors == {}
    assert result.requests == 101
    assert result.bytes == 101 * (HEADER_BYTES + 997)
    assert result.latency_ns is not None
    assert result.latency_ns.count == 101
    assert result.connect_ns is not None
    assert result.connect_ns.count == 5
    assert 0 < result.cpu_ns <= result.duration_ns + 50 * MILLISECOND_NS
    assert result.requests_per_second == pytest.approx(101e9 / result.duration_ns)


def test_reconnecting_connects_for_each_request(server: RunningServer) -> None:
    result = run_load(LoadPlan(port=server.port, connections=2, requests=19, reconnect=True))
    assert result.connect_ns is not None
    assert (result.requests, result.connect_ns.count) == (19, 19)


def test_the_delay_comes_before_every_send(server: RunningServer) -> None:
    delay_ns = 10 * MILLISECOND_NS
    result = run_load(LoadPlan(port=server.port, requests=7, delay_ns=delay_ns))
    assert result.requests == 7
    assert result.duration_ns >= 7 * delay_ns
    assert result.latency_ns is not None
    assert result.latency_ns.p50 < delay_ns  # the delay is no part of it


def test_a_duration_ends_the_sending_but_answers_are_awaited(server: RunningServer) -> None:
    plan = LoadPlan(
        port=server.port,
        connections=3,
        duration_ns=50 * MILLISECOND_NS,
        think_ns=30 * MILLISECOND_NS,
    )
    result = run_load(plan)
    assert result.errors == {}
    assert 3 <= result.requests <= 6


@pytest.mark.parametrize("reconnect", [False, True])
@pytest.mark.parametrize("poisson", [False, True])
def test_an_open_loop_sends_by_the_clock(
    server: RunningServer, reconnect: bool, poisson: bool
) -> None:
    plan = LoadPlan(
        port=server.port,
        connections=3,
        requests=41,
        rate=1000.0,
        poisson=poisson,
        reconnect=reconnect,
    )
    result = run_load(plan)
    assert result.errors == {}
    assert result.requests == 41
    if not poisson:
        assert result.duration_ns >= 40 * MILLISECOND_NS


def test_an_open_loop_does_not_wait_for_answers_and_counts_from_when_they_were_due() -> None:
    with running("blocking") as server:
        plan = LoadPlan(port=server.port, requests=5, rate=1000.0, think_ns=20 * MILLISECOND_NS)
        result = run_load(plan)
    assert result.requests == 5
    assert result.latency_ns is not None
    # The fifth was due after 4 ms and is answered after 5 times 20 ms.
    assert result.latency_ns.max >= (5 * 20 - 4) * MILLISECOND_NS


def test_an_open_loop_ends_by_its_duration(server: RunningServer) -> None:
    plan = LoadPlan(port=server.port, connections=2, duration_ns=40 * MILLISECOND_NS, rate=500.0)
    result = run_load(plan)
    assert result.errors == {}
    assert 1 <= result.requests <= 20


def test_an_open_loop_tells_what_never_became_a_request() -> None:
    with toy_server(until_it_leaves) as port:
        plan = LoadPlan(port=port, requests=7, rate=1000.0, reconnect=True, timeout_ns=PATIENCE_NS)
        result = run_load(plan)
    assert result.errors == {"unanswered": 7}


def test_the_seed_makes_the_bytes() -> None:
    def bytes_for(seed: int) -> bytes:
        seen: list[bytes] = []
        with toy_server(lambda peer: seen.append(request_of(peer))) as port:
            run_load(LoadPlan(port=port, seed=seed))
        return seen[0]

    assert bytes_for(7) == bytes_for(7) != bytes_for(11)


def test_percentiles_are_values_that_occurred() -> None:
    assert times(array("q")) is None
    assert times(array("q", [17])) == Times(count=1, p50=17, p90=17, p99=17, max=17)
    hundred = array("q", reversed(range(1, 101)))
    assert times(hundred) == Times(count=100, p50=50, p90=90, p99=99, max=100)
    assert times(array("q", [3, 1, 2])) == Times(count=3, p50=2, p90=3, p99=3, max=3)


@pytest.mark.parametrize(
    "plan",
    [
        {"connections": 3, "requests": 2},
        {"reconnect": True, "pipeline": 2},
        {"rate": 10.0, "delay_ns": 1},
        {"rate": 10.0, "pipeline": 2},
    ],
)
def test_contradictory_plans_are_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        LoadPlan(port=1, **plan)


def test_a_host_without_an_address() -> None:
    with pytest.raises(IotraceError, match="no address for"):
        run_load(LoadPlan(port=1, host="not a host name"))


def test_the_command_line_prints_json(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--port", str(server.port), "-c", "2", "-n", "13", "--payload", "5", "--json"]
    with restored_signals():
        assert main(arguments) == ExitCode.OK
    result = json.loads(capsys.readouterr().out)
    assert result["requests"] == 13
    assert result["bytes"] == 13 * (HEADER_BYTES + 5)
    assert result["latency_ns"]["count"] == 13
    assert result["errors"] == {}


def test_the_command_line_prints_text(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with restored_signals():
        assert main(["--port", str(server.port), "-n", "13"]) == ExitCode.OK
    first, latency, connect, cpu = capsys.readouterr().out.splitlines()
    assert first.startswith("13 requests over 1 connections in ")
    assert latency.startswith("latency: p50 ")
    assert connect.startswith("connect: p50 ")
    assert cpu.startswith("the load's own CPU time: ")


def test_errors_make_the_status(capsys: pytest.CaptureFixture[str]) -> None:
    with toy_server(request_of) as port, restored_signals():
        assert main(["--port", str(port)]) == ExitCode.UNEXPECTED
    assert capsys.readouterr().out.splitlines()[-2:] == ["closed: 1", "unanswered: 1"]


def test_a_contradiction_on_the_command_line_is_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with restored_signals():
        assert main(["--port", "1", "-c", "3", "-n", "2"]) == ExitCode.USAGE
    assert "too few" in capsys.readouterr().err


def test_a_signal_ends_it_early_with_what_it_saw() -> None:
    answered = threading.Event()

    def serve(peer: socket.socket) -> None:
        peer.sendall(request_of(peer))
        request_of(peer)
        answered.set()
        until_it_leaves(peer)

    with toy_server(serve) as port:
        load = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "iotrace.servers.load",
                "--port",
                str(port),
                "-n",
                "3",
                "--json",
            ],
            stdout=subprocess.PIPE,
        )
        assert answered.wait(10)
        load.send_signal(signal.SIGINT)
        output, _ = load.communicate(timeout=10)
    result = json.loads(output)
    assert (result["requests"], result["errors"]) == (1, {"unanswered": 1})
    assert load.returncode == ExitCode.UNEXPECTED


@contextlib.contextmanager
def restored_signals() -> Iterator[None]:
    """The command line's signal handlers are its process's business, and not this one's."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

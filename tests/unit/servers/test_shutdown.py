"""SIGTERM and SIGINT end a server with status 0 whatever it is doing; nothing is left of it."""

from __future__ import annotations

import signal
import socket

import pytest
from iotrace.servers.catalog import ServerModel
from iotrace.servers.launch import running
from iotrace.servers.load import run_load
from iotrace.servers.load_plan import LoadPlan
from iotrace.servers.protocol import encode

from iotrace.errors import IotraceError
from tests.unit.servers.client import (
    dial,
    is_closed,
    model_parameters,
    processes_of_session,
    read_message,
    read_to_end,
    wait_until,
)

SMALL = encode(b"ping")


@pytest.mark.parametrize("model", model_parameters())
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_it_ends_amidst_its_clients(model: ServerModel, number: signal.Signals) -> None:
    with running(model.module) as server, dial(server.port) as served:
        served.sendall(SMALL)
        assert read_message(served).frame == SMALL
        with dial(server.port) as silent, dial(server.port) as half:
            half.sendall(SMALL[:9])
            assert server.stop(number=number) == 0
            for sock in (served, silent, half):
                assert read_to_end(sock) == b""
        assert is_closed(server.port)
        wait_until(lambda: processes_of_session(server.pid) == {})


@pytest.mark.parametrize("model", model_parameters())
def test_it_ends_before_its_first_client(model: ServerModel) -> None:
    with running(model.module) as server:
        assert server.stop() == 0
        assert is_closed(server.port)


@pytest.mark.parametrize("model", model_parameters())
def test_it_ends_under_load(model: ServerModel) -> None:
    with running(model.module) as server:
        plan = LoadPlan(
            port=server.port,
            connections=5,
            requests=20,
            think_ns=10**6,
            reconnect=model.per_request_connection,
        )
        assert run_load(plan).requests == 20
        with dial(server.port) as busy:
            busy.sendall(SMALL * 1000)
            assert busy.recv(len(SMALL), socket.MSG_WAITALL) == SMALL
            assert server.stop() == 0
        wait_until(lambda: processes_of_session(server.pid) == {})


def test_the_port_can_be_used_again_at_once() -> None:
    with running("blocking") as first, dial(first.port) as sock:
        sock.sendall(SMALL)
        assert read_message(sock).frame == SMALL
        assert first.stop() == 0
        with running("blocking", ["--port", str(first.port)]) as second:
            assert second.port == first.port


def test_a_port_in_use_is_told_and_not_a_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with running("epoll") as first:
        with pytest.raises(IotraceError) as failure, running("poll", ["--port", str(first.port)]):
            pass
        assert failure.value.why == "it ended with status 1"
        message = capfd.readouterr().err
        assert message.splitlines()[0] == f"cannot listen on 127.0.0.1 port {first.port}"
        assert "Traceback" not in message


def test_it_listens_on_ipv6_too() -> None:
    with running("epoll", ["--host", "::1"]) as server:
        result = run_load(LoadPlan(host="::1", port=server.port, requests=7))
        assert (result.requests, result.errors) == (7, {})


def test_killing_takes_the_children_along() -> None:
    with running("fork") as server, dial(server.port) as sock:
        sock.sendall(SMALL)
        assert read_message(sock).frame == SMALL
        assert len(processes_of_session(server.pid)) == 2
        server.kill()
        assert server.process.returncode == -signal.SIGKILL
        # The child is init's now, to be reaped in its own time.
        wait_until(lambda: set(processes_of_session(server.pid).values()) <= {"Z"})


def test_children_of_a_server_that_was_killed_are_not_left_behind() -> None:
    with running("fork") as server, dial(server.port) as sock:
        sock.sendall(SMALL)
        assert read_message(sock).frame == SMALL
        server.process.kill()
        assert server.process.wait(10) == -signal.SIGKILL
        assert len(processes_of_session(server.pid)) == 1
    wait_until(lambda: set(processes_of_session(server.pid).values()) <= {"Z"})

"""A server that is told to be wrong is wrong in just that way."""

from __future__ import annotations

from pathlib import Path

import pytest
from iotrace.servers.catalog import MODELS, ServerModel
from iotrace.servers.launch import running
from iotrace.servers.load import run_load
from iotrace.servers.load_plan import LoadPlan, LoadResult
from iotrace.servers.protocol import HEADER_BYTES, encode

from tests.unit.servers.client import (
    cpu_ns,
    dial,
    model_parameters,
    read_message,
    runnable_ns,
    wait_until,
)

MILLISECOND_NS = 10**6
SMALL = encode(b"ping")
LEVEL_TRIGGERED = ("select", "poll", "epoll")


def latency_p50_ns(result: LoadResult) -> int:
    assert result.latency_ns is not None
    return result.latency_ns.p50


def module_of(model_id: str) -> str:
    return next(model.module for model in MODELS if model.id == model_id)


def assert_spins(pid: int) -> None:
    """It uses a CPU, though nothing happens."""
    start_ns = cpu_ns(pid)
    wait_until(lambda: cpu_ns(pid) - start_ns > 100 * MILLISECOND_NS)


def voluntary_switches(pid: int) -> int:
    """How often it has gone to sleep."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def test_nonblocking_spins_between_polls() -> None:
    with running("nonblocking") as server:
        assert_spins(server.pid)
        assert voluntary_switches(server.pid) < 100


def test_nonblocking_with_a_sleep_picks_up_late() -> None:
    with running("nonblocking", ["--sleep-ms", "60"]) as server:
        # The server has gone to sleep by the time that the request is sent.
        plan = LoadPlan(port=server.port, requests=7, delay_ns=20 * MILLISECOND_NS)
        result = run_load(plan)
        assert result.requests == 7
        assert latency_p50_ns(result) > 10 * MILLISECOND_NS
        assert cpu_ns(server.pid) < result.duration_ns / 2


def test_nonblocking_accepts_late() -> None:
    with running("nonblocking", ["--slow-accept-ms", "50"]) as server:
        result = run_load(LoadPlan(port=server.port, connections=3))
        assert result.requests == 3
        assert result.duration_ns > 2 * 50 * MILLISECOND_NS - 10 * MILLISECOND_NS


@pytest.mark.parametrize("model_id", LEVEL_TRIGGERED)
def test_a_connection_that_is_never_accepted_makes_level_triggering_spin(model_id: str) -> None:
    with running(module_of(model_id), ["--never-accept"]) as server, dial(server.port):
        assert_spins(server.pid)
        result = run_load(LoadPlan(port=server.port, timeout_ns=100 * MILLISECOND_NS))
        assert result.errors == {"unanswered": 1}


@pytest.mark.parametrize("model_id", LEVEL_TRIGGERED)
def test_data_that_is_never_read_makes_level_triggering_spin(model_id: str) -> None:
    with running(module_of(model_id), ["--no-read"]) as server, dial(server.port) as sock:
        sock.sendall(SMALL)
        assert_spins(server.pid)
        result = run_load(LoadPlan(port=server.port, timeout_ns=100 * MILLISECOND_NS))
        assert result.errors == {"unanswered": 1}


@pytest.mark.parametrize("model_id", LEVEL_TRIGGERED)
def test_a_late_accept_makes_level_triggering_spin_meanwhile(model_id: str) -> None:
    with running(module_of(model_id), ["--slow-accept-ms", "100"]) as server:
        start_ns = runnable_ns(server.pid)
        result = run_load(LoadPlan(port=server.port, requests=2))
        assert result.requests == 2
        assert result.latency_ns is not None
        assert result.connect_ns is not None
        # The delay begins with the connection, the latency with the request: later on a busy CPU.
        latest_ns = result.latency_ns.max + result.connect_ns.max
        assert latest_ns > 90 * MILLISECOND_NS
        assert result.latency_ns.p50 < 90 * MILLISECOND_NS
        assert runnable_ns(server.pid) - start_ns > 50 * MILLISECOND_NS


@pytest.mark.parametrize("model", model_parameters(without=["nonblocking"]))
def test_without_variants_an_idle_server_sleeps(model: ServerModel) -> None:
    with running(model.module) as server, dial(server.port) as sock:
        sock.sendall(SMALL)
        assert read_message(sock).frame == SMALL
        wait_until(lambda: is_asleep(server.pid))


def is_asleep(pid: int) -> bool:
    """The main thread is in an interruptible sleep: state S in proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_edge_triggering_that_stops_early_leaves_data_behind() -> None:
    payload_bytes = 500
    plan = {
        "requests": 11,
        "payload_bytes": payload_bytes,
        "pipeline": 2,
        "delay_ns": 40 * MILLISECOND_NS,
        "timeout_ns": 300 * MILLISECOND_NS,
    }
    with running("epoll_et") as server:
        whole = run_load(LoadPlan(port=server.port, **plan))  # type: ignore[arg-type]
        assert (whole.requests, whole.errors) == (11, {})
        assert latency_p50_ns(whole) < 40 * MILLISECOND_NS
    with running("epoll_et", ["--stop-early", str(HEADER_BYTES + payload_bytes)]) as server:
        # Two requests come together; one is read. The other waits for the edge of the next.
        late = run_load(LoadPlan(port=server.port, **plan))  # type: ignore[arg-type]
        assert (late.requests, late.errors) == (10, {"unanswered": 1})
        assert latency_p50_ns(late) >= 40 * MILLISECOND_NS


@pytest.mark.parametrize("model", model_parameters(without=["blocking", "fork", "thread"]))
def test_a_slow_handler_delays_everybody(model: ServerModel) -> None:
    with running(model.module, ["--slow-handler-ms", "15"]) as server:
        result = run_load(LoadPlan(port=server.port, connections=4))
        assert result.requests == 4
        assert result.duration_ns >= 4 * 15 * MILLISECOND_NS

"""A real VictoriaMetrics is pushed to by a real agent that traces a real server."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.process_group import free_port
from tests.kernel.command import programs_of, started
from tests.monitoring import debian, victoria
from tests.monitoring.victoria import Victoria
from tests.traced_server import PROGRAM, Server
from tests.waiting import DEADLINE_S, wait_until

TRACED = f'iotrace_processes{{program="{PROGRAM}"}}'
COUNT = f'iotrace_request_duration_seconds_count{{program="{PROGRAM}"}}'
BUCKETS = f'iotrace_request_duration_seconds_bucket{{program="{PROGRAM}"}}'
LOST = 'iotrace_agent_pushes_total{result="lost"}'
OCTAVE = 2 ** (1 / 8)
DOWN_S = 60


@contextlib.contextmanager
def _agent(url: str, word: str, interval: float, **more: str) -> Iterator[subprocess.Popen[str]]:
    options = ("--detail", "full", "-i", interval, "--otlp", url)
    with started("agent", "--name", word, *options, env={**os.environ, **more}) as agent:
        wait_until(lambda: programs_of(agent.pid), "the agent to trace")
        yield agent


@pytest.fixture
def served() -> Iterator[tuple[Server, str]]:
    word = f"/tmp/{uuid.uuid4()}"
    with contextlib.closing(Server(word)) as server:
        yield server, word


def _report_of(process: Any) -> Any:
    process.send_signal(2)
    output, errors = process.communicate(timeout=DEADLINE_S)
    assert output, errors
    return json.loads(output)


def test_p99_is_the_report_s(served: tuple[Server, str], tmp_path: Path) -> None:
    """Of the same requests, by an ``attach`` beside the agent."""
    server, word = served
    pid = server.process.pid
    with (
        victoria.running(tmp_path, free_port()) as engine,
        _agent(engine.push, word, 0.5),
        started("attach", pid, "-f", "json") as attach,
    ):
        wait_until(lambda: programs_of(attach.pid), "the trace")
        engine.wait_for(TRACED, 1)
        choose = random.Random(1)
        for _ in range(300):
            server.ask(f"sleep {choose.randrange(1, 40)}")
        (process,) = _report_of(attach)["processes"]
        (requests,) = process["requests"]
        assert requests["exchanges"] == 300
        assert engine.wait_for(COUNT, 300) == 300
        for share, name in ((0.5, "p50"), (0.99, "p99")):
            computed = engine.value(f"histogram_quantile({share}, {BUCKETS})") or 0
            told = requests["latency_ns"][name] / 1e9
            # A bucket of the one, and half a bucket (a 32nd) of the other.
            assert told / OCTAVE / 1.04 < computed < told * OCTAVE * 1.04, (name, computed, told)
        total = engine.value(f'iotrace_request_duration_seconds_sum{{program="{PROGRAM}"}}')
        tiers = sum(tier["latency_ns"] for tier in requests["tiers"])
        assert total == pytest.approx(tiers / 1e9, rel=0.01)


def test_names_are_those_that_prometheus_has(served: tuple[Server, str], tmp_path: Path) -> None:
    server, word = served
    with victoria.running(tmp_path, free_port()) as engine, _agent(engine.push, word, 0.5):
        engine.wait_for(TRACED, 1)
        for _ in range(5):
            server.ask("sleep 80")
        engine.wait_for(COUNT, 5)
        for name in (
            f'iotrace_thread_time_seconds_total{{program="{PROGRAM}",state="wait_sleep"}}',
            f'iotrace_eventloop_time_seconds_total{{program="{PROGRAM}",state="active"}}',
            f'iotrace_eventloop_stalls_total{{program="{PROGRAM}"}}',
            f'iotrace_process_info{{program="{PROGRAM}",pid="{server.process.pid}"}}',
            "iotrace_agent_resident_bytes",
            'iotrace_agent_pushes_total{result="pushed"}',
        ):
            assert engine.wait_for(name, 0.1) > 0, name
        assert engine.value("iotrace_agent_unaccounted_ratio") is not None


def test_an_endpoint_that_is_down_for_a_minute(served: tuple[Server, str], tmp_path: Path) -> None:
    """No count is lost, no interval either, and both its ends are told."""
    server, word = served
    port = free_port()
    with contextlib.ExitStack() as ends:
        with victoria.running(tmp_path, port) as engine:
            agent = ends.enter_context(_agent(engine.push, word, 2))
            engine.wait_for(TRACED, 1)
            server.ask("now")
            engine.wait_for(COUNT, 1)
        begun = time.time()
        for _ in range(DOWN_S):
            server.ask("now")
            time.sleep(1)
        ended = time.time()
        with victoria.running(tmp_path, port) as engine:
            assert engine.wait_for(COUNT, 1 + DOWN_S) == 1 + DOWN_S
            assert engine.wait_for('iotrace_agent_pushes_total{result="pushed"}', DOWN_S / 2)
            assert engine.value(LOST) == 0
            points = _points(engine, COUNT, begun, ended)
            assert len(points) >= (ended - begun) / 2 - 3
            assert points == sorted(points)
        agent.terminate()
        _, errors = agent.communicate(timeout=DEADLINE_S)
    assert agent.returncode == 0, errors
    assert "intervals wait" in errors
    assert "takes metrics again" in errors


def _points(engine: Victoria, expression: str, begun: float, ended: float) -> list[float]:
    """What was kept of that time, be it pushed later."""
    (series,) = engine.query(f"{expression}[{round(ended - begun)}s] @ {ended}")
    return [float(value) for _, value in series["values"]]


@pytest.mark.parametrize("step_s", [3600, -1800])
def test_a_clock_that_steps(served: tuple[Server, str], tmp_path: Path, step_s: int) -> None:
    """That of the agent alone: points have its new time, and counts go on."""
    server, word = served
    offset = Path(f"/tmp/offset-{uuid.uuid4()}")  # for nobody to read
    offset.write_text("+0")
    root = debian.unpacked("libfaketime", "bookworm")
    library = next(root.glob("usr/lib/*/faketime/libfaketimeMT.so.1"))
    fake = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    with (
        contextlib.ExitStack() as ends,
        victoria.running(tmp_path, free_port()) as engine,
        _agent(engine.push, word, 0.5, **fake),
    ):
        ends.callback(offset.unlink)
        engine.wait_for(TRACED, 1)
        server.ask("now")
        engine.wait_for(COUNT, 1)
        offset.write_text(f"{step_s:+d}")
        server.ask("now")
        wait_until(
            lambda: _value_at(engine, time.time() + step_s) == 2, "the count at its new time"
        )
        server.ask("now")
        wait_until(lambda: _value_at(engine, time.time() + step_s) == 3, "another")
        assert _value_at(engine, time.time() + step_s, LOST) == 0


def _value_at(engine: Victoria, at: float, expression: str = COUNT) -> float | None:
    return engine.value(f"{expression} @ {at:.3f}")

"""A real Prometheus scrapes a real agent that traces a real server."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.process_group import free_port
from iotrace.metrics.running_totals import EDGES_NS
from tests.kernel.command import programs_of, started
from tests.monitoring import prometheus
from tests.monitoring.prometheus import Engine
from tests.traced_server import PROGRAM, Server
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "packaging/agent/alerts.yml"
DASHBOARD = ROOT / "packaging/agent/dashboard.json"


@pytest.fixture
def scraped(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, Server, int]]:
    """In full detail, or in that which the test is parametrized with."""
    detail = getattr(request, "param", "full")
    word, port = f"/tmp/{uuid.uuid4()}", free_port()
    with contextlib.ExitStack() as ends:
        server = ends.enter_context(contextlib.closing(Server(word)))
        options = ("--detail", detail, "-i", "0.5", "--listen", f"127.0.0.1:{port}")
        agent = ends.enter_context(started("agent", "--name", word, *options))
        wait_until(lambda: programs_of(agent.pid), "the agent to trace")
        yield ends.enter_context(prometheus.running(tmp_path, port, ALERTS)), server, port


def test_promtool_takes_the_alerts() -> None:
    done = subprocess.run(
        [prometheus.programs() / "promtool", "check", "rules", ALERTS],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "7 rules found" in done.stdout


@pytest.mark.parametrize("scraped", ["full", "sockets"], indirect=True)
def test_what_prometheus_computes_is_what_was_done(
    scraped: tuple[Engine, Server, int],
) -> None:
    engine, server, _ = scraped
    engine.wait_for(f'iotrace_processes{{program="{PROGRAM}"}}', 1)
    for _ in range(95):
        server.ask("now")
    for _ in range(5):
        server.ask("sleep 100")
    count = f'iotrace_request_duration_seconds_count{{program="{PROGRAM}"}}'
    assert engine.wait_for(count, 100) == 100
    buckets = f'iotrace_request_duration_seconds_bucket{{program="{PROGRAM}"}}'
    p99_ns = (engine.value(f"histogram_quantile(0.99, {buckets})") or 0) * 1e9
    lower, upper = next(
        (low, high) for low, high in pairwise(EDGES_NS) if low < 100_000_000 <= high
    )
    assert lower < p99_ns <= upper
    slept = f'iotrace_thread_time_seconds_total{{program="{PROGRAM}",state="wait_sleep"}}'
    assert 0.5 <= (engine.value(slept) or 0) < 0.6


def test_a_request_that_hangs_is_an_age_that_grows(
    scraped: tuple[Engine, Server, int],
) -> None:
    engine, server, _ = scraped
    engine.wait_for(f'iotrace_processes{{program="{PROGRAM}"}}', 1)
    server.client.sendall(b"never\n")
    age = f'iotrace_request_oldest_unanswered_seconds{{program="{PROGRAM}"}}'
    first = engine.wait_for(age, 0.5)
    assert engine.wait_for(age, first + 1) >= first + 1


def test_every_query_of_the_dashboard_is_answered(
    scraped: tuple[Engine, Server, int],
) -> None:
    engine, server, _ = scraped
    for _ in range(20):
        server.ask("now")
    engine.wait_for(f'iotrace_request_duration_seconds_count{{program="{PROGRAM}"}}', 20)
    for expression in _expressions(json.loads(DASHBOARD.read_text())):
        filled = expression.replace("$__rate_interval", "1m").replace("$program", ".*")
        engine.query(filled)
    # A rate takes two scrapes.
    engine.wait_for("sum by (program) (rate(iotrace_thread_time_seconds_total[1m]))")


def _expressions(dashboard: Any) -> list[str]:
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(found) > 8
    assert all(re.search(r"\biotrace_", expression) for expression in found)
    return found


def test_a_restart_of_prometheus_loses_no_count(
    scraped: tuple[Engine, Server, int], tmp_path: Path
) -> None:
    engine, server, port = scraped
    count = f'iotrace_request_duration_seconds_count{{program="{PROGRAM}"}}'
    server.ask("now")
    engine.wait_for(count, 1)
    place = tmp_path / "other"
    place.mkdir()
    server.ask("now")
    with prometheus.running(place, port, ALERTS) as other:
        assert other.wait_for(count, 2) == 2

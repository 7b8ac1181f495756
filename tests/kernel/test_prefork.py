"""A pre-forking server is traced from its master: workers that are there, and those that come."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from iotrace.report.model import Process
from tests.kernel.tracing import report_of, tracing
from tests.kernel.web_load import fetch
from tests.kernel.web_servers import WebServer, gunicorn, running
from tests.waiting import wait_until

WORKERS = 4
REQUESTS = 101


def test_gunicorn_from_its_master() -> None:
    server = WebServer("gunicorn", gunicorn("sync", WORKERS), needs="gunicorn")
    with running(server) as master:
        wait_until(lambda: len(_children(master.pid)) == WORKERS, "all workers")
        workers = _children(master.pid)
        with tracing(master.pid) as trace:
            _ask(master.address)
            killed = min(workers)
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda: _replaced(master.pid, killed), "a new worker")
            (new,) = _children(master.pid) - workers
            _ask(master.address)
            report = report_of(trace)
    parents = {process.pid: process.parent for process in report.processes}
    assert parents == {master.pid: os.getpid()} | dict.fromkeys(workers | {new}, master.pid)
    ended = {process.pid for process in report.processes if process.ended_ns is not None}
    assert ended == {killed}
    assert sum(map(_accepted, report.processes)) == 2 * REQUESTS
    assert all(process.python is not None for process in report.processes)
    together = next(one.workers for one in report.processes if one.pid == master.pid)
    assert together is not None
    (whole,) = together.requests
    parts = [row for one in report.processes for row in one.requests]
    assert whole.exchanges == sum(row.exchanges for row in parts) == 2 * REQUESTS
    assert set(together.pids) <= workers | {new}
    assert whole.listener == f"127.0.0.1:{master.address[1]}"
    assert sum(tier.latency_ns for tier in whole.tiers) == sum(
        tier.latency_ns for row in parts for tier in row.tiers
    )


def _ask(address: tuple[str, int]) -> None:
    for _ in range(REQUESTS):
        assert fetch(address).endswith(b"hello\n")


def _children(pid: int) -> set[int]:
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def _replaced(master: int, killed: int) -> bool:
    children = _children(master)
    return killed not in children and len(children) == WORKERS


def _accepted(process: Process) -> int:
    rows = [row for row in process.calls if row.syscall == "accept4"]
    return sum(row.calls - sum(row.errors.values()) for row in rows)

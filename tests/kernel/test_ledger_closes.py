"""Ten servers under load: each thread's time adds up, and it is the time that the kernel counts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from iotrace.report.model import Report, Thread
from tests.kernel.scheduler import Scheduled, on_cpu_ns, scheduled, stolen_ns
from tests.kernel.tracing import check_ledger, states_sum_ns, tracing
from tests.kernel.web_load import Load
from tests.kernel.web_servers import SERVERS, WebServer, running

LOAD_NS = int(float(os.environ.get("IOTRACE_LOAD_SECONDS", "3")) * 1e9)
"""How long each server is under load; 10 s for a thorough run."""
IN_EACH_RUN = {"asyncio", "gunicorn-gthread", "fork", "poller", "hog"}
THOROUGH = pytest.mark.thorough
TICK_NS = 10_000_000
"""A running thread's figures in /proc are as old as the last tick, or its last switch."""
SWITCH_NS = 100_000
"""At a switch the scheduler may use the time of the wake-up that led to it (rq_clock_skip_update
in kernel/sched/core.c), and it counts a thread as ready only once the CPU that is to run it, which
may have to be woken itself, has queued it. 1 to 8 us were seen; on a virtual machine whose host was
busy 28 to 63 us at each switch of a thread that never sleeps."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the scheduler counted for a thread: at least, and at most."""

    least: Scheduled
    most: Scheduled


@dataclass(frozen=True, slots=True)
class Trial:
    """A server's report, and what other clocks say of the same time."""

    server: WebServer
    report: Report
    answers: int
    failures: list[str]
    wall_least_ns: int
    wall_most_ns: int
    stolen_ns: int
    bounds: dict[int, Bounds]
    """By tid; of the threads that were there from before the trace to after it."""

    @property
    def threads(self) -> list[Thread]:
        return [thread for process in self.report.processes for thread in process.threads]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(server, id=server.name, marks=() if server.name in IN_EACH_RUN else THOROUGH)
        for server in SERVERS
    ],
)
def trial(request: pytest.FixtureRequest) -> Iterator[Trial]:
    server: WebServer = request.param
    with running(server) as target:
        stolen_before_ns = stolen_ns()
        earliest, started_ns = _look(target.pid), time.monotonic_ns()
        with tracing(target.pid) as trace:
            followed_ns, early = time.monotonic_ns(), _look(target.pid)
            with Load(target.address, server.clients) as load:
                while time.monotonic_ns() - followed_ns < LOAD_NS:
                    time.sleep(0.05)
                    trace.processes_alive()
                late, ended_ns = _look(target.pid), time.monotonic_ns()
                snapshot = trace.snapshot()
                finished_ns, latest = time.monotonic_ns(), _look(target.pid)
            stolen_after_ns = stolen_ns()
            trace.look()
            report = trace.report(snapshot)
    check_ledger(report)
    yield Trial(
        server,
        report,
        load.answers,
        load.failures,
        ended_ns - followed_ns,
        finished_ns - started_ns,
        stolen_after_ns - stolen_before_ns,
        {
            tid: Bounds(late[tid].since(early[tid]), latest[tid].since(earliest[tid]))
            for tid in earliest.keys() & early.keys() & late.keys() & latest.keys()
        },
    )


def _look(pid: int) -> dict[int, Scheduled]:
    """The scheduler's figures of every thread of a process and its descendants."""
    found = {}
    pending = [pid]
    while pending:
        one = pending.pop()
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found[int(task.name)] = scheduled(one, int(task.name))
                pending += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_the_load_was_served(trial: Trial) -> None:
    assert trial.failures == []
    assert trial.answers > 20 * trial.server.clients or not trial.server.clients


def test_states_add_up_to_the_lifetime(trial: Trial) -> None:
    for thread in trial.threads:
        assert abs(states_sum_ns(thread) - thread.lifetime_ns) <= _tolerance_ns(thread), thread


def test_nothing_is_unaccounted(trial: Trial) -> None:
    assert trial.report.quality.unaccounted_ratio < 0.001
    for thread in trial.threads:
        assert thread.states_ns.unaccounted <= _tolerance_ns(thread), thread


def test_nothing_is_negative(trial: Trial) -> None:
    for thread in trial.threads:
        states = thread.states_ns
        assert min(states.user, states.kernel, states.copy, states.runq, *states.wait.values()) >= 0


def test_lifetimes_are_those_of_another_clock(trial: Trial) -> None:
    kept = [thread for thread in trial.threads if thread.tid in trial.bounds]
    assert kept
    for thread in kept:
        assert trial.wall_least_ns <= thread.lifetime_ns <= trial.wall_most_ns


def test_time_on_a_cpu_is_the_scheduler_s(trial: Trial) -> None:
    for thread, bounds in _checked(trial):
        most_ns = bounds.most.run_ns + trial.stolen_ns
        _check(on_cpu_ns(thread), bounds.least.run_ns, most_ns, thread)


def test_time_on_the_run_queue_is_the_scheduler_s(trial: Trial) -> None:
    for thread, bounds in _checked(trial):
        _check(thread.states_ns.runq, bounds.least.ready_ns, bounds.most.ready_ns, thread)


def test_switches_are_the_scheduler_s(trial: Trial) -> None:
    for thread, bounds in _checked(trial):
        switches = thread.switches
        assert bounds.least.voluntary <= switches.voluntary <= bounds.most.voluntary
        assert bounds.least.involuntary <= switches.involuntary <= bounds.most.involuntary


def _checked(trial: Trial) -> list[tuple[Thread, Bounds]]:
    return [(t, trial.bounds[t.tid]) for t in trial.threads if t.tid in trial.bounds]


def _check(figure_ns: int, least_ns: int, most_ns: int, thread: Thread) -> None:
    """Within 2 % of the scheduler's figures, or as far as those are exact."""
    switches = thread.switches.voluntary + thread.switches.involuntary
    margin_ns = max(0.02 * most_ns, TICK_NS, SWITCH_NS * switches)
    assert least_ns - margin_ns <= figure_ns <= most_ns + margin_ns, thread


def _tolerance_ns(thread: Thread) -> float:
    return max(0.001 * thread.lifetime_ns, 1_000_000)

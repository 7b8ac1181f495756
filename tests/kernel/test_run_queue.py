"""Two programs that compute on one CPU: each is ready, and waits for it, half of the time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from iotrace.report.model import Thread
from iotrace.tracing.trace import Trace
from tests.kernel.scheduler import Scheduled, on_cpu_ns, scheduled
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, thread_of, tracing
from tests.kernel.waiting import sleeps_in, wait_until

LONG_ENOUGH_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Hog:
    """One of the two: what the tracer says, and what the scheduler says of the same time."""

    thread: Thread
    scheduled: Scheduled


@pytest.fixture(scope="module")
def hogs() -> Iterator[tuple[Hog, Hog]]:
    cpu = max(os.sched_getaffinity(0))
    with (
        Target("hog.py", cpu) as one,
        Target("hog.py", cpu) as other,
        tracing(one.pid, other.pid) as trace,
    ):
        pids = one.pid, other.pid
        before = [scheduled(pid, pid) for pid in pids]
        one.go()
        other.go()
        wait_until(lambda: _least_run_ns(trace) > LONG_ENOUGH_NS, "both to have run for long")
        for pid in pids:
            os.kill(pid, signal.SIGUSR2)
        wait_until(lambda: all(sleeps_in(pid, pid, "pause") for pid in pids), "both to pause")
        after = [scheduled(pid, pid) for pid in pids]
        report = report_of(trace)
        first, second = (
            Hog(thread_of(report, pid, pid), a.since(b))
            for pid, a, b in zip(pids, after, before, strict=True)
        )
        yield first, second


def _least_run_ns(trace: Trace) -> int:
    return min(thread.user_ns for thread in trace.snapshot().threads.values())


def test_each_is_ready_half_of_its_time(hogs: tuple[Hog, Hog]) -> None:
    for hog in hogs:
        states = hog.thread.states_ns
        competing_ns = on_cpu_ns(hog.thread) + states.runq
        # More than half where others want that CPU too: as much as the scheduler says.
        assert states.runq / competing_ns > 0.45
        assert states.runq / competing_ns == pytest.approx(_ready_share(hog.scheduled), abs=0.02)
        assert states.unaccounted == 0


def _ready_share(figures: Scheduled) -> float:
    return figures.ready_ns / (figures.run_ns + figures.ready_ns)


def test_the_run_queue_is_the_scheduler_s(hogs: tuple[Hog, Hog]) -> None:
    for hog in hogs:
        assert hog.thread.states_ns.runq == pytest.approx(hog.scheduled.ready_ns, rel=0.02)


def test_the_time_on_the_cpu_is_the_scheduler_s(hogs: tuple[Hog, Hog]) -> None:
    for hog in hogs:
        assert on_cpu_ns(hog.thread) == pytest.approx(hog.scheduled.run_ns, rel=0.02)


def test_switches_are_the_scheduler_s(hogs: tuple[Hog, Hog]) -> None:
    for hog in hogs:
        switches = hog.thread.switches
        assert (switches.voluntary, switches.involuntary) == (
            hog.scheduled.voluntary,
            hog.scheduled.involuntary,
        )

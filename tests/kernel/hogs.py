"""Two programs that compute on one CPU, as the tracer and as the scheduler see them."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from iotrace.engine.map_limits import Limits
from iotrace.report.model import Thread
from iotrace.tracing.trace import Trace
from tests.kernel.scheduler import Scheduled, scheduled, stolen_ns
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, thread_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Hog:
    """One of the two: what the tracer says, and what the scheduler says of the same time."""

    thread: Thread
    scheduled: Scheduled
    stolen_ns: int
    """Taken from their CPU meanwhile, from whichever ran."""


def compete(run_ns: int, limits: Limits | None = None) -> tuple[Hog, Hog]:
    """Both, after each has run for so long; they sleep when the scheduler is asked."""
    cpu = max(os.sched_getaffinity(0))
    with (
        Target("hog.py", cpu) as one,
        Target("hog.py", cpu) as other,
        tracing(one.pid, other.pid, limits=limits) as trace,
    ):
        pids = one.pid, other.pid
        begun_ns = stolen_ns([cpu])
        before = [scheduled(pid, pid) for pid in pids]
        one.go()
        other.go()
        wait_until(lambda: _least_run_ns(trace) > run_ns, "both to have run for long")
        for pid in pids:
            os.kill(pid, signal.SIGUSR2)
        wait_until(lambda: all(sleeps_in(pid, pid, "pause") for pid in pids), "both to pause")
        after = [scheduled(pid, pid) for pid in pids]
        stolen = stolen_ns([cpu]) - begun_ns
        report = report_of(trace)
    first, second = (
        Hog(thread_of(report, pid, pid), a.since(b), stolen)
        for pid, a, b in zip(pids, after, before, strict=True)
    )
    return first, second


def _least_run_ns(trace: Trace) -> int:
    threads = trace.snapshot().threads.values()
    return min(thread.user_ns + thread.kernel_ns for thread in threads)

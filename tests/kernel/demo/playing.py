"""Let a model's server perform, and pick rows out of what was seen."""

from __future__ import annotations

from iotrace.servers.catalog import find

from iotrace.demo.runner import Measurement, Runner
from iotrace.report.model import Loop, Process
from tests.kernel.tracing import states_sum_ns

REQUESTS = 23
DELAY_NS = 10_000_000
WINDOW_NS = 80_000_000
LOAD = ("--requests", str(REQUESTS), "--delay-ms", str(DELAY_NS // 1_000_000))
MULTIPLEXED = {
    "select": "pselect6",
    "poll": "poll",
    "epoll": "epoll_wait",
    "selectors": "epoll_wait",
    "event-queue": "epoll_wait",
    "asyncio": "epoll_wait",
}


def play(
    runner: Runner, model_id: str, *load: str, server: tuple[str, ...] = (), errors: int = 0
) -> Measurement:
    """One measurement; ``errors``: requests that are left unanswered on purpose."""
    model = find(model_id)
    reconnect = ("--reconnect",) if model.per_request_connection and not load else ()
    with runner.server(model, server) as server:
        measurement = server.run_load((*reconnect, *(load or LOAD)), window_ns=WINDOW_NS)
    _check(measurement)
    assert sum(measurement.result.errors.values()) == errors, measurement.result
    return measurement


def _check(measurement: Measurement) -> None:
    """Nothing is lost and each thread's states add up.

    Probe runs that the kernel skips are counted and can happen on a busy machine.
    """
    lost = measurement.report.quality.lost
    assert lost.total == lost.probes <= 3, lost
    for process in measurement.report.processes:
        for thread in process.threads:
            gap_ns = abs(states_sum_ns(thread) - thread.lifetime_ns)
            assert gap_ns <= max(thread.lifetime_ns // 1000, 1_000_000), thread


def served(measurement: Measurement) -> Process:
    """The server's first process."""
    return measurement.report.processes[0]


def calls_of(process: Process, syscall: str, kind: str = "tcp") -> int:
    """How often it made that call."""
    return sum(c.calls for c in process.calls if (c.syscall, c.kind) == (syscall, kind))


def eagain_of(process: Process, syscall: str) -> int:
    """How often that call found nothing."""
    return sum(c.errors.get("EAGAIN", 0) for c in process.calls if c.syscall == syscall)


def waited_ns(process: Process, syscall: str) -> int:
    """How long all threads slept in that call."""
    return sum(c.wait_ns for c in process.calls if c.syscall == syscall)


def slept_ns(process: Process) -> int:
    """How long all threads slept, in whatever."""
    return sum(sum(t.states_ns.wait.values()) for t in process.threads)


def loop_of(process: Process) -> Loop:
    """The one loop."""
    (loop,) = process.loops
    return loop

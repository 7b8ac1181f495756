"""Trace programs, and pick rows out of their reports."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from iotrace.engine.map_limits import Limits, limits_for
from iotrace.report.codec import loads, to_dict
from iotrace.report.model import Call, Descriptor, Loop, Process, Report, Thread
from iotrace.tracing.trace import Trace
from iotrace.verdict.judge import judge
from tests.kernel.targets import Target


@contextmanager
def tracing(
    *pids: int,
    children: bool = True,
    limits: Limits | None = None,
    absent: frozenset[str] | None = None,
) -> Iterator[Trace]:
    """Trace running processes inside."""
    with Trace(limits_for(pids, limits or Limits()), absent) as trace:
        for pid in pids:
            trace.follow(pid, children)
        yield trace


def report_of(trace: Trace) -> Report:
    """Everything up to now, checked for what holds of every report, see the two checks."""
    snapshot = trace.snapshot()
    trace.look()
    report = trace.report(snapshot)
    check_ledger(report)
    check_verdict(report)
    return report


def trace_work(target: Target, *, children: bool = True, limits: Limits | None = None) -> Report:
    """The report of a target from its gate to the end of its work."""
    return trace_all([target], children=children, limits=limits)


def trace_all(
    targets: Collection[Target], *, children: bool = True, limits: Limits | None = None
) -> Report:
    """The report of targets that work at the same time."""
    with tracing(*(one.pid for one in targets), children=children, limits=limits) as trace:
        for one in targets:
            one.go()
        for one in targets:
            one.wait_until_finished()
        return report_of(trace)


def check_ledger(report: Report) -> None:
    """Nothing was lost, and each thread's states add up to its wall time."""
    assert report.quality.lost.total == 0, report.quality.lost
    for process in report.processes:
        for thread in process.threads:
            gap_ns = abs(states_sum_ns(thread) - thread.lifetime_ns)
            assert gap_ns <= max(thread.lifetime_ns // 1000, 1_000_000), thread


def check_verdict(report: Report) -> None:
    """A recording of the report is judged as the report was."""
    recorded = loads(json.dumps(to_dict(report)))
    assert recorded == report
    assert judge(recorded) == report


def states_sum_ns(thread: Thread) -> int:
    """All states together."""
    states = thread.states_ns
    return states.on_cpu + states.runq + states.unaccounted + sum(states.wait.values())


def process_of(report: Report, pid: int) -> Process:
    """The one process with that pid."""
    (process,) = (process for process in report.processes if process.pid == pid)
    return process


def thread_of(report: Report, pid: int, tid: int) -> Thread:
    """The one thread with that tid."""
    (thread,) = (thread for thread in process_of(report, pid).threads if thread.tid == tid)
    return thread


def call_of(process: Process, syscall: str, kind: str = "") -> Call:
    """The one row of that call on that kind of descriptor."""
    rows = [row for row in process.calls if (row.syscall, row.kind) == (syscall, kind)]
    assert len(rows) == 1, f"{len(rows)} rows {syscall}/{kind}: {process.calls}"
    return rows[0]


def descriptor_of(process: Process, fd: int) -> Descriptor:
    """The one row of that descriptor number."""
    rows = [row for row in process.descriptors if row.fd == fd]
    assert len(rows) == 1, f"{len(rows)} rows of {fd}: {process.descriptors}"
    return rows[0]


def loop_of(process: Process, multiplexer: str) -> Loop:
    """The one row of that multiplexer."""
    rows = [row for row in process.loops if row.multiplexer == multiplexer]
    assert len(rows) == 1, f"{len(rows)} rows {multiplexer}: {process.loops}"
    return rows[0]

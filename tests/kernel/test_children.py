"""Threads and processes are followed from their first instruction to their last; none is lost."""

from __future__ import annotations

import os
import signal
import time

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.report.detail import Detail
from iotrace.report.model import Call, Process, Report, Thread
from iotrace.tracing.trace import Trace
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, report_of, trace_work, tracing
from tests.kernel.waiting import is_alive, sleeps_in
from tests.waiting import wait_until

THREADS = 1009
FORKS = 503
REPLACED = 211
STRANGERS = 101
WITHIN_S = 10.0
ASLEEP_NS = 200_000_000


def _watch_work(target: Target) -> Report:
    """The report of a target's work, watched meanwhile as the command line does."""
    with tracing(target.pid) as trace:
        begun = time.monotonic()
        target.go()
        wait_until(lambda: _finished(trace, target), "the work to be done")
        assert time.monotonic() - begun < WITHIN_S
        return report_of(trace)


def _finished(trace: Trace, target: Target) -> bool:
    trace.processes_alive()
    return sleeps_in(target.pid, target.pid, "pause")


def _moved(report: Report, syscall: str, kind: str) -> tuple[int, int]:
    """Calls and bytes of everybody."""
    rows = [row for process in report.processes for row in process.calls]
    wanted = [row for row in rows if (row.syscall, row.kind) == (syscall, kind)]
    return sum(row.calls for row in wanted), sum(row.bytes for row in wanted)


def _threads(report: Report) -> list[Thread]:
    return [thread for process in report.processes for thread in process.threads]


def _send_row(process: Process) -> Call:
    (row,) = (row for row in process.calls if row.syscall == "sendto")
    return row


def test_a_thousand_short_threads() -> None:
    with Target("children.py", "short_threads", THREADS) as target:
        report = _watch_work(target)
    (process,) = report.processes
    assert sum(thread.count for thread in process.threads) == THREADS + 1
    assert sum(thread.count for thread in process.threads if thread.ended_ns) == THREADS
    assert _moved(report, "write", "char") == (THREADS * 3, THREADS * 15)


def test_five_hundred_forks() -> None:
    with Target("children.py", "forks", FORKS) as target:
        report = _watch_work(target)
    assert sum(process.count for process in report.processes) == FORKS + 1
    assert sum(thread.count for thread in _threads(report)) == FORKS + 1
    assert {process.parent for process in report.processes} == {os.getpid(), target.pid}
    assert _moved(report, "sendto", "unix") == (FORKS * 3, FORKS * 15)


def test_without_children_the_parent_alone_is_traced() -> None:
    with Target("children.py", "forks", 7) as target:
        report = trace_work(target, children=False)
    (process,) = report.processes
    assert process.pid == target.pid
    assert _moved(report, "sendto", "unix") == (0, 0)


def test_who_gets_the_kernel_stack_of_a_thread_that_ended_is_not_taken_for_it() -> None:
    with Target("children.py", "strangers", STRANGERS) as target:
        report = trace_work(target, children=False)
    assert _moved(report, "pread64", "char") == (STRANGERS, STRANGERS)


def test_programs_in_children() -> None:
    with Target("children.py", "spawns", 11) as target:
        report = trace_work(target)
    children = [process for process in report.processes if process.pid != target.pid]
    assert [process.parent for process in children] == [target.pid] * 11
    assert [thread.name for thread in _threads(report)].count("echo") == 11
    writes = [row for process in children for row in process.calls if row.syscall == "write"]
    assert [(row.kind, row.calls, row.bytes) for row in writes] == [("pipe", 1, 5)] * 11


def test_a_grandchild() -> None:
    with Target("children.py", "grandchild") as target:
        report = trace_work(target)
        by_parent = {process.parent: process for process in report.processes}
        child = by_parent[target.pid]
        grandchild = by_parent[child.pid]
        for process in (child, grandchild):
            os.kill(process.pid, signal.SIGKILL)
    assert len(report.processes) == 3
    assert (_send_row(grandchild).calls, _send_row(grandchild).bytes) == (1, 5)
    assert (_send_row(child).calls, _send_row(child).bytes) == (1, 16)


@pytest.mark.parametrize(("how", "threads"), [("exec_leader", 1), ("exec_thread", 2)])
def test_exec_makes_another_program_of_the_same_process(how: str, threads: int) -> None:
    with Target("children.py", how) as target:
        report = trace_work(target)
    process = process_of(report, target.pid)
    assert process.cmdline[-1] == "executed"
    assert process.ended_ns is None
    assert len(process.threads) == threads
    (alive,) = (thread for thread in process.threads if thread.ended_ns is None)
    assert alive.tid == target.pid
    assert (_send_row(process).calls, _send_row(process).bytes) == (11, 33)
    assert _send_row(process).tid == target.pid


def test_threads_have_the_names_that_they_took() -> None:
    with Target("names.py") as target:
        report = trace_work(target)
    names = [thread.name for thread in process_of(report, target.pid).threads]
    assert names == ["first", "was-there", "by-another", "came-later"]


def test_threads_that_are_killed_in_their_sleep() -> None:
    with Target("children.py", "dies") as target, tracing(target.pid) as trace:
        asleep = target.facts["tids"]
        wait_until(lambda: all(sleeps_in(target.pid, tid, "recvfrom") for tid in asleep), "recv")
        wait_until(lambda: _shortest_ns(trace) > ASLEEP_NS, "time to pass")
        os.kill(target.pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(target.pid), "the process to die")
        wait_until(lambda: not trace.processes_alive(), "the trace to notice")
        process = process_of(report_of(trace), target.pid)
    assert process.ended_ns is not None
    for tid in asleep:
        (thread,) = (thread for thread in process.threads if thread.tid == tid)
        assert thread.ended_ns is not None
        assert thread.states_ns.wait["recv"] >= ASLEEP_NS
        (row,) = (row for row in process.calls if row.tid == tid)
        # The kernel's own name for a call that a signal took its thread out of.
        assert (row.syscall, row.calls, row.errors) == ("recvfrom", 1, {"ERESTARTSYS": 1})
        assert row.in_flight == 0


def _shortest_ns(trace: Trace) -> int:
    return min(thread.lifetime_ns for thread in trace.snapshot().threads.values())


@pytest.mark.parametrize("detail", Detail)
def test_a_first_thread_that_another_replaces_has_ended(detail: Detail) -> None:
    """Its last switch may come after the exec, under the other's number: in one of some hundred."""
    with (
        Target("replaced.py", REPLACED) as target,
        tracing(target.pid, limits=Limits(detail=detail)) as trace,
    ):
        target.go()
        target.wait_until_finished()
        wait_until(lambda: trace.processes_alive() == {target.pid}, "the children to be gone")
        report = report_of(trace)
    children = [one for one in report.processes if one.parent == target.pid or one.count > 1]
    assert sum(one.count for one in children) == REPLACED

"""What a report of programs/family.py must show; also run as a program inside a container."""

from __future__ import annotations

import sys

from iotrace.engine.map_limits import Limits
from iotrace.output.as_json import render
from iotrace.report.detail import Detail
from iotrace.report.model import Process, Report
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, report_of, tracing
from tests.waiting import wait_until

THREADS, CHILDREN, EXECS, ROUNDS = 13, 5, 3, 17
PROGRAM = "family.py"


def talks_of(process: Process) -> int:
    """How many of its threads have sent and received exactly what they should."""
    rows = {(row.tid, row.syscall): row for row in process.calls if row.kind == "unix"}
    return sum(
        (row.calls, row.bytes) == (ROUNDS, 7 * ROUNDS) and rows[tid, "recvfrom"].bytes == 7 * ROUNDS
        for (tid, syscall), row in rows.items()
        if syscall == "sendto"
    )


def check_members(report: Report, pid: int) -> list[Process]:
    """Every thread and every child, and that all of them have ended; the children."""
    parent = process_of(report, pid)
    assert len(parent.threads) == 1 + THREADS
    assert [thread.ended_ns is not None for thread in parent.threads[1:]] == [True] * THREADS
    children = [process for process in report.processes if process.parent == pid]
    assert len(children) == CHILDREN + EXECS
    assert all(process.ended_ns is not None for process in children)
    return children


def check_family(report: Report, pid: int) -> None:
    """Every thread and every child, from its first call to its end."""
    children = check_members(report, pid)
    assert talks_of(process_of(report, pid)) == THREADS
    assert sum(talks_of(process) for process in children) == CHILDREN


def trace_family(target: Target, limits: Limits | None = None) -> Report:
    """The report of the program, when all its children are gone for good."""
    with tracing(target.pid, limits=limits) as trace:
        target.go()
        target.wait_until_finished()
        wait_until(lambda: trace.processes_alive() == {target.pid}, "the children to be gone")
        return report_of(trace)


if __name__ == "__main__":
    with Target(PROGRAM) as target:
        print(target.pid)
        limits = Limits(detail=Detail(*sys.argv[1:2] or ("full",)))
        print(render(trace_family(target, limits)), flush=True)
        target.results()

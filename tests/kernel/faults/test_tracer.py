"""iotrace is interrupted, killed, cannot write; others look at the same target."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.errors import ExitCode
from iotrace.tracing.trace import Trace
from tests.kernel.faults.harness import (
    TIMES,
    Tracer,
    Worker,
    moments,
    one_line,
    programs_of,
    traced_worker,
)
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, check_ledger, process_of, tracing

ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("again", TIMES)
@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_it_with_a_report(number: int, again: int) -> None:
    with traced_worker() as (worker, tracer):
        worker.go()
        tracer.signal(number)
        report = tracer.report()
        worker.check_unharmed()
    check_ledger(report)


@pytest.mark.parametrize("again", TIMES)
def test_interrupted_twice(again: int) -> None:
    with traced_worker() as (worker, tracer):
        worker.go()
        tracer.signal(signal.SIGINT)
        tracer.signal(signal.SIGINT)
        status, _, err = tracer.wait()
        worker.check_unharmed()
    assert status in (0, 130), err
    assert "Traceback" not in err


@pytest.mark.parametrize("again", TIMES)
def test_killed(again: int) -> None:
    with traced_worker() as (worker, tracer):
        worker.go()
        tracer.signal(signal.SIGKILL)
        status, _, _ = tracer.wait()
        worker.check_unharmed()
    assert status == -signal.SIGKILL


@pytest.mark.parametrize("again", TIMES)
@pytest.mark.parametrize("delay_ms", moments(*range(0, 600, 40)))
def test_killed_while_it_attaches(delay_ms: int, again: int) -> None:
    with Worker() as worker, Tracer("attach", worker.pid, "-f", "json") as tracer:
        worker.go()
        time.sleep(delay_ms / 1000)
        tracer.programs = programs_of(tracer.pid)
        tracer.signal(signal.SIGKILL)
        tracer.wait()
        worker.check_unharmed()


@pytest.mark.parametrize("again", TIMES)
def test_nobody_reads_its_output(again: int) -> None:
    with Worker() as worker:
        reader, writer = os.pipe()
        os.close(reader)
        with Tracer("attach", worker.pid, stdout=writer) as tracer:
            os.close(writer)
            tracer.wait_until_attached()
            worker.go()
            tracer.signal(signal.SIGINT)
            status, _, err = tracer.wait()
        worker.check_unharmed()
    assert (status, err) == (0, "")


@pytest.mark.parametrize("how", ["stdout", "-o"])
def test_the_disk_is_full(how: str) -> None:
    with Worker() as worker, Path("/dev/full").open("wb") as full:
        options = ("-o", "/dev/full") if how == "-o" else ()
        with Tracer("attach", worker.pid, "-d", "0.3", *options, stdout=full.fileno()) as tracer:
            status, _, err = tracer.wait()
        worker.go()
        worker.check_unharmed()
    assert status == ExitCode.USAGE
    one_line(err)
    assert "No space left" in err


@pytest.mark.parametrize("path", ["/proc/report", "/nowhere/report", "/sys/report"])
def test_the_output_cannot_be_made(path: str) -> None:
    with Worker() as worker:
        with Tracer("attach", worker.pid, "-d", "5", "-o", path) as tracer:
            status, _, err = tracer.wait()
        worker.go()
        worker.check_unharmed()
    assert status == ExitCode.USAGE
    one_line(err)


@pytest.mark.parametrize("again", TIMES)
def test_two_on_the_same_target(again: int) -> None:
    with Target("calls.py") as target, tracing(target.pid) as one, tracing(target.pid) as other:
        target.go()
        target.wait_until_finished()
        reports = [trace.report(trace.snapshot()) for trace in (one, other)]
    rows = [
        {
            (row.syscall, row.kind): (row.calls, row.bytes, row.errors)
            for row in process_of(report, target.pid).calls
        }
        for report in reports
    ]
    assert rows[0] == rows[1]
    assert rows[0]["read", "pipe"] == (101 + 13, 101 * 7, {"EAGAIN": 13})


DEBUGGERS = {
    "strace": ["strace", "-f", "-o", "/dev/null", "-p"],
    "gdb": ["gdb", "-q", "-batch", "-ex", "thread apply all bt 3", "-ex", "detach", "-p"],
    "py-spy": ["py-spy", "record", "-d", "1", "-f", "raw", "-o", "/dev/null", "-p"],
}
HERE = [
    name
    for name in DEBUGGERS
    if shutil.which(name, path=os.environ["PATH"] + f":{Path(sys.executable).parent}")
]


@pytest.mark.parametrize("again", TIMES)
@pytest.mark.parametrize("debugger", HERE)
def test_a_debugger_on_the_same_target(debugger: str, again: int) -> None:
    path = f"{os.environ['PATH']}:{Path(sys.executable).parent}"
    program = shutil.which(debugger, path=path)
    assert program
    with traced_worker() as (worker, tracer):
        line = [program, *DEBUGGERS[debugger][1:], str(worker.pid)]
        with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
            worker.go()
            worker.check_unharmed()
            other.wait()
        report = tracer.report()
    check_ledger(report)
    children = sum(one.count for one in report.processes if one.pid != worker.pid)
    assert children == 2 * worker.rounds


def test_tables_that_are_full_are_reported() -> None:
    tiny = Limits(threads=8, calls=8, descriptors=8, errors=2, loops=1, reserved=4)
    with Target("calls.py") as target, Trace(tiny) as trace:
        trace.follow(target.pid, True)
        target.go()
        target.wait_until_finished()
        report = trace.report(trace.snapshot())
    assert report.quality.lost.calls > 0
    assert report.quality.lost.descriptors > 0
    (thread,) = process_of(report, target.pid).threads
    assert thread.syscalls > 1000  # what has no room of its own is in the thread's sums still


def test_incomplete_figures_have_their_exit_code() -> None:
    from iotrace.cli.exit_codes import exit_code

    tiny = Limits(threads=8, calls=8, descriptors=8, errors=2, loops=1, reserved=4)
    with Target("calls.py") as target, Trace(tiny) as trace:
        trace.follow(target.pid, True)
        target.go()
        target.wait_until_finished()
        report = trace.report(trace.snapshot())
    assert exit_code(report) == ExitCode.INCOMPLETE


def test_a_ring_that_is_full_is_reported() -> None:
    with (
        Target("calls.py") as target,
        tracing(target.pid, limits=Limits(timeline_pages=1)) as trace,
    ):
        trace.timeline(True)
        target.go()
        target.wait_until_finished()
        report = trace.report(trace.snapshot())
        events = trace.events()
    assert report.quality.lost.ring > 0
    assert events
    assert call_of(process_of(report, target.pid), "read", "pipe").calls == 101 + 13

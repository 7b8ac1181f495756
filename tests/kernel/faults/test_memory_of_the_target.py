"""A target whose Python structures are garbage whenever somebody looks at them."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from iotrace.output.formats import render
from iotrace.report.model import Report
from iotrace.tracing.trace import Trace
from tests.kernel.faults.harness import TIMES
from tests.kernel.python.marks import mark_of
from tests.kernel.targets import Target, command
from tests.kernel.tracing import check_ledger, process_of, tracing
from tests.waiting import DEADLINE_S, wait_until

_NAPS = 211 * len(TIMES)


def test_it_scribbles_over_its_frames() -> None:
    """The probes walk at the end of each nap, we walk during them; all counts are exact."""
    begin_ns = time.monotonic_ns()  # its CPU time has the last programs' verification in it
    with Target("scribbler.py", _NAPS) as target, tracing(target.pid) as trace:
        target.go()
        looks = _look_until_it_ends(trace, target)
        report = trace.report(trace.snapshot())
        passed_ns = time.monotonic_ns() - begin_ns
        status = target.process.wait(DEADLINE_S)
        assert target.process.stdout is not None
        digest = target.process.stdout.read()
    assert looks > 3
    assert status == -signal.SIGSEGV  # its own doing
    assert digest == _digest()
    check_ledger(report)
    process = process_of(report, target.pid)
    assert process.ended_ns is not None
    (naps,) = (row for row in process.calls if row.syscall in ("nanosleep", "clock_nanosleep"))
    assert naps.calls == _NAPS + 2
    walked = sum(line.calls for line in process.lines if line.syscall == naps.syscall)
    assert _NAPS // 10 < walked <= naps.calls
    assert "nap" in {mark_of("scribbler.py", line.stack) for line in process.lines}
    assert report.quality.tracer_cpu_ns < passed_ns
    for fmt in ("plain", "json", "folded", "speedscope"):
        assert render(report, fmt)


def _look_until_it_ends(trace: Trace, target: Target) -> int:
    reports: list[Report] = []

    def ended() -> bool:
        reports.append(trace.report(trace.snapshot()))
        return not trace.processes_alive()

    wait_until(ended, "its end to be seen")
    return len(reports)


def _digest() -> bytes:
    """What it prints when nobody looks."""
    with subprocess.Popen(command("scribbler.py", 0), stdout=subprocess.PIPE) as alone:
        assert alone.stdout is not None
        alone.stdout.readline()
        os.kill(alone.pid, signal.SIGUSR1)
        return alone.stdout.read()

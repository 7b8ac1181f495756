"""The wall clock steps, the host was suspended, iotrace itself stands still for a while."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from iotrace.errors import ExitCode
from iotrace.report.codec import loads
from iotrace.report.model import Report
from tests.kernel.faults.harness import IOTRACE, STATUS, Tracer, checksum_of, one_line
from tests.kernel.targets import PROGRAMS, Target, command
from tests.kernel.tracing import call_of, check_ledger, process_of


def _check_counts(report: Report, target: Target) -> None:
    check_ledger(report)
    process = process_of(report, target.pid)
    assert call_of(process, "read", "pipe").calls == 101 + 13
    assert process.ended_ns is not None
    assert process.ended_ns <= report.duration_ns


@pytest.fixture
def stepping(tmp_path: Path) -> dict[str, str]:
    """The environment in which every reading of the wall clock is hours or years off."""
    compiler = shutil.which("cc")
    assert compiler, "the tests need a C compiler: .ci/setup tests"
    library = tmp_path / "stepping.so"
    source = PROGRAMS / "stepping_clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    ask = "import time; print(*(int(time.time()) for _ in range(3)))"
    env = {"LD_PRELOAD": str(library)}
    said = subprocess.check_output([sys.executable, "-c", ask], env=env, text=True)
    first, second, third = map(int, said.split())
    assert max(abs(first - second), abs(second - third)) > 3000, "the clock does not step"
    return env


def test_the_wall_clock_steps(stepping: dict[str, str]) -> None:
    begin_ns = time.monotonic_ns()
    with (
        Target("calls.py") as target,
        Tracer("attach", target.pid, "-f", "json", env=stepping) as tracer,
    ):
        tracer.wait_until_attached()
        attached_ns = time.monotonic_ns()
        target.go()
        target.wait_until_finished()
        worked_ns = time.monotonic_ns() - attached_ns
        target.results()
        report = tracer.report()
    _check_counts(report, target)
    assert worked_ns <= report.duration_ns <= time.monotonic_ns() - begin_ns
    now = datetime.now().astimezone()
    assert abs((datetime.fromisoformat(report.started_at) - now).total_seconds()) > 3000  # as told


def test_iotrace_stands_still_for_a_while() -> None:
    """As in a freezer: what happens meanwhile is in the report all the same."""
    with (
        Target("calls.py") as target,
        Tracer("attach", target.pid, "-f", "json") as tracer,
    ):
        tracer.wait_until_attached()
        tracer.signal(signal.SIGSTOP)
        target.go()
        target.wait_until_finished()
        target.results()
        target.process.wait()
        tracer.signal(signal.SIGCONT)
        report = tracer.report()
    _check_counts(report, target)


def test_the_host_was_suspended_before(tmp_path: Path) -> None:
    """1000 s, as CLOCK_BOOTTIME of a time namespace has it, and with it start times in /proc."""
    path = tmp_path / "report.json"
    begin_ns = time.monotonic_ns()
    done = subprocess.run(
        ["unshare", "--time", "--fork", "--boottime", "1000",
         *IOTRACE, "run", "-f", "json", "-o", str(path), "--", *command("worker.py", 3, "plain")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    passed_ns = time.monotonic_ns() - begin_ns
    assert done.returncode == STATUS, done
    pid, digest = done.stdout.split()
    assert digest == checksum_of("plain", 3)
    report = loads(path.read_text())
    check_ledger(report)
    assert report.duration_ns < passed_ns
    assert process_of(report, int(pid)).started_ns < passed_ns
    assert sum(one.count for one in report.processes if one.pid != int(pid)) == 2 * 3


def test_a_clock_of_its_own_is_refused() -> None:
    done = subprocess.run(
        ["unshare", "--time", "--fork", "--monotonic", "1000",
         sys.executable, "-m", "iotrace", "attach", "--dry-run"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.UNSUPPORTED
    one_line(done.stderr)

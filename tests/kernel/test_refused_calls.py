"""A container's seccomp filter: what it refuses, and that it is named as the cause."""

from __future__ import annotations

import errno
import json
import platform
import subprocess
import sys

import pytest

from iotrace.errors import ExitCode
from iotrace.privileges.syscall_filter import BPF, PERF_EVENT_OPEN
from iotrace.report.codec import loads
from tests.kernel.faults.harness import IOTRACE, Worker, one_line
from tests.kernel.tracing import check_ledger, process_of


def _refusing(numbers: dict[str, int], error: int) -> tuple[str, ...]:
    """The prefix that runs a program where a filter refuses this call."""
    number = numbers[platform.machine()]
    return (sys.executable, "-m", "tests.kernel.seccomp", str(number), str(error))


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOSYS])
def test_a_filter_on_bpf_is_named(error: int) -> None:
    prefix = _refusing(BPF, error)
    with Worker() as worker:
        done = subprocess.run(
            [*prefix, *IOTRACE, "attach", str(worker.pid), "-d", "0.1"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == ExitCode.PERMISSION
    one_line(done.stderr)
    assert "seccomp" in done.stderr
    assert "memory" not in done.stderr


def test_the_doctor_names_it_too() -> None:
    done = subprocess.run(
        [*_refusing(BPF, errno.EPERM), *IOTRACE, "doctor", "-f", "json"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.UNSUPPORTED
    checks = {check["feature"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["CAP_BPF"]["status"] == "ok"
    assert checks["bpf(2)"]["status"] == "missing"
    assert "seccomp=unconfined" in checks["bpf(2)"]["paste"]["container"]


def test_without_the_sampling_clock_the_rest_is_right() -> None:
    """A filter, or a kernel with perf_event_paranoid above 2, keeps it away."""
    prefix = _refusing(PERF_EVENT_OPEN, errno.EACCES)
    with Worker() as worker:
        done = subprocess.run(
            [*prefix, *IOTRACE, "attach", str(worker.pid), "-d", "0.3", "-f", "json"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == ExitCode.OK, done.stderr
        report = loads(done.stdout)
        check_ledger(report)
        assert process_of(report, worker.pid).python
    reasons = {reason for reason in report.quality.unavailable.values() if "sampling" in reason}
    assert reasons == {
        "the kernel refused the sampling clock: a seccomp filter refuses perf_event_open(2)"
    }

"""A CPU quota of a control group above the program's own, against what its cpu.stat says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iotrace.report.codec import loads
from iotrace.report.model import Report
from tests.kernel.faults.harness import IOTRACE
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing
from tests.waiting import wait_until

_ROOT = Path("/sys/fs/cgroup")
_QUOTA_US, _PERIOD_US = 20_000, 100_000
_WANTED_NS = 300_000_000


@contextmanager
def _nested_group() -> Iterator[tuple[Path, tuple[str, ...]]]:
    """A group with a quota, and the prefix that runs a program in a group inside it."""
    if (_ROOT / "cpu" / "cpu.cfs_quota_us").exists() or (_ROOT / "cpu" / "cpu.shares").exists():
        parent = _ROOT / "cpu" / f"iotrace-test-{os.getpid()}"
        parent.mkdir()
        (parent / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (parent / "cpu.cfs_quota_us").write_text(str(_QUOTA_US))
    elif (_ROOT / "cgroup.subtree_control").exists():
        (_ROOT / "cgroup.subtree_control").write_text("+cpu")
        parent = _ROOT / f"iotrace-test-{os.getpid()}"
        parent.mkdir()
        (parent / "cgroup.subtree_control").write_text("+cpu")
        (parent / "cpu.max").write_text(f"{_QUOTA_US} {_PERIOD_US}")
    else:
        pytest.skip("no cgroup here limits CPU time")
    child = parent / "inner"
    child.mkdir()
    try:
        yield parent, ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(child / "cgroup.procs"))
    finally:
        wait_until(lambda: not (child / "cgroup.procs").read_text(), "the group to be empty")
        child.rmdir()
        parent.rmdir()


def _throttled_ns(group: Path) -> int:
    for line in (group / "cpu.stat").read_text().splitlines():
        name, value = line.split()
        if name in ("throttled_usec", "throttled_time"):
            return int(value) * (1_000 if name == "throttled_usec" else 1)
    raise AssertionError(f"no throttled time in {group}")


def _trace_until_throttled(target: Target, group: Path) -> tuple[Report, int]:
    """The report, and the growth of the group's throttled time around it."""
    target.go()
    wait_until(lambda: _throttled_ns(group) > 0, "the group to be throttled")
    began = _throttled_ns(group)
    with tracing(target.pid) as trace:
        start = _throttled_ns(group)
        wait_until(lambda: _throttled_ns(group) - start > _WANTED_NS, "more throttling")
        report = report_of(trace)
    return report, _throttled_ns(group) - began


def test_a_quota_above_is_seen_from_the_attach_on() -> None:
    with _nested_group() as (group, prefix), Target("hog.py", 0, prefix=prefix) as target:
        report, most = _trace_until_throttled(target, group)
    (process,) = report.processes
    limits = process.limits
    assert limits is not None
    assert limits.cpu_group.endswith(group.name)
    assert limits.cpu_quota_cpus == _QUOTA_US / _PERIOD_US
    assert limits.throttled_ns is not None
    assert _WANTED_NS <= limits.throttled_ns <= most
    assert "IO121" in {finding.id for finding in report.findings}
    assert "IO112" not in {finding.id for finding in report.findings}


_FROM_A_CONTAINER = """
mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/cpu && $MOUNT && exec "$@"
"""
"""With a cgroup namespace and mounts of its own, as container engines make them."""


def _as_a_container(group: Path) -> tuple[str, ...]:
    """The prefix that runs a program in a group and a cgroup namespace that begins with it."""
    version_1 = (_ROOT / "cpu") in group.parents
    kind = "cgroup -o cpu" if version_1 else "cgroup2"
    script = _FROM_A_CONTAINER.replace("$MOUNT", f"mount -t {kind} none /sys/fs/cgroup/cpu")
    join = 'echo $$ > "$0" && exec unshare -C -m "$@"'
    return ("sh", "-c", join, str(group / "cgroup.procs"), "sh", "-euc", script, "sh")


@pytest.mark.parametrize("seer", ["the process itself", "who started it"])
def test_a_quota_is_seen_from_another_cgroup_namespace(seer: str) -> None:
    """hostPID, and a group that is named /../...: process 1 sees it, or else one of these."""
    with (
        _nested_group() as (group, prefix),
        _beside(group) as beside,
        Target(
            "hog.py",
            0,
            prefix=prefix if seer == "the process itself" else _as_a_container(group / "inner"),
        ) as target,
    ):
        target.go()
        wait_until(lambda: _throttled_ns(group) > 0, "the group to be throttled")
        began = _throttled_ns(group)
        command = (*_as_a_container(beside), *IOTRACE, "attach", str(target.pid))
        done = subprocess.run(
            [*command, "-d", "1", "-f", "json"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        most = _throttled_ns(group) - began
    assert done.returncode == 0, done.stderr
    (process,) = loads(done.stdout).processes
    limits = process.limits
    assert limits is not None
    assert limits.cpu_group == f"/{group.name}"
    assert limits.cpu_quota_cpus == _QUOTA_US / _PERIOD_US
    assert limits.throttled_ns is not None
    assert _WANTED_NS / 6 <= limits.throttled_ns <= most  # a busy machine throttles less


@contextmanager
def _beside(group: Path) -> Iterator[Path]:
    """A group for iotrace, without a quota."""
    beside = group.with_name(f"{group.name}-beside")
    beside.mkdir()
    try:
        yield beside
    finally:
        wait_until(lambda: not (beside / "cgroup.procs").read_text(), "the group to be empty")
        beside.rmdir()

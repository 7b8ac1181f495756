"""A CPU quota of a control group above the program's own, against what its cpu.stat says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iotrace.report.model import Report
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing
from tests.kernel.waiting import wait_until

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

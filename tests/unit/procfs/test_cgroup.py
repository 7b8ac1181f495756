"""Limits of CPU time and of memory, of both versions of control groups, on every level."""

from __future__ import annotations

from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.cgroup import CpuLimit, MemoryLimit, read_cpu_limits, read_memory_limit
from iotrace.procfs.cgroup_tree import CgroupTree, OutOfSight
from tests.unit.procfs.cgroup_files import made


@pytest.mark.parametrize(
    ("groups", "file", "group"),
    [
        ("0::/web.slice/a\n", "web.slice/a/cpu.stat", "/web.slice/a"),
        ("0::/\n", "cpu.stat", "/"),
        ("4:memory:/other\n0::/web.slice\n", "unified/web.slice/cpu.stat", "/web.slice"),
    ],
)
def test_version_2_counts_microseconds(tmp_path: Path, groups: str, file: str, group: str) -> None:
    cpu_stat = "usage_usec 5\nnr_throttled 3\nthrottled_usec 997\n"
    tree = made(tmp_path, groups, {file: cpu_stat})
    assert read_cpu_limits(7, *tree) == (CpuLimit(group, None, 997_000),)


def test_version_1_counts_nanoseconds(tmp_path: Path) -> None:
    files = {
        "cpu,cpuacct/web/cpu.stat": "nr_periods 9\nnr_throttled 3\nthrottled_time 997\n",
        "cpu,cpuacct/web/cpu.cfs_quota_us": "20000\n",
        "cpu,cpuacct/web/cpu.cfs_period_us": "100000\n",
        "cpu,cpuacct/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n",
        "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
    }
    tree = made(tmp_path, "4:memory:/other\n1:cpu,cpuacct:/web\n", files)
    assert read_cpu_limits(7, *tree) == (CpuLimit("/web", 0.2, 997),)


def test_quotas_of_groups_above_count(tmp_path: Path) -> None:
    files = {
        "pod/a/cpu.stat": "throttled_usec 0\n",
        "pod/a/cpu.max": "max 100000\n",
        "pod/cpu.stat": "throttled_usec 587\n",
        "pod/cpu.max": "50000 100000\n",
        "cpu.stat": "usage_usec 5\n",
    }
    tree = made(tmp_path, "0::/pod/a\n", files)
    assert read_cpu_limits(7, *tree) == (CpuLimit("/pod", 0.5, 587_000),)


@pytest.mark.parametrize("groups", ["", "nonsense\n", "4:memory:/web\n", "0::/gone\n"])
def test_no_cpu_limit(tmp_path: Path, groups: str) -> None:
    tree = made(tmp_path, groups, {"web/cpu.stat": "usage_usec 5\n"})
    assert read_cpu_limits(7, *tree) == ()


@pytest.mark.parametrize("groups", ["0::/../../etc\n", "0::/a/../b\n", f"0::{'/a' * 99}\n"])
def test_a_group_that_is_not_shown_has_limits_that_are_not_known(
    tmp_path: Path, groups: str
) -> None:
    tree = made(tmp_path, groups, {"web/cpu.stat": "usage_usec 5\n"})
    with pytest.raises(OutOfSight):
        read_cpu_limits(7, *tree)


def test_the_memory_limit_is_that_of_the_group_that_leaves_least(tmp_path: Path) -> None:
    files = {
        "memory.max": "max\n",
        "web.slice/memory.max": "1000\n",
        "web.slice/memory.current": "900\n",
        "web.slice/memory.stat": "anon 1\ninactive_file 301\n",
        "web.slice/memory.events": "low 0\nmax 97\noom 3\noom_kill 2\noom_group_kill 0\n",
        "web.slice/a/memory.max": "500\n",
        "web.slice/a/memory.current": "23\n",
    }
    limit = read_memory_limit(7, *made(tmp_path, "0::/web.slice/a\n", files))
    assert limit == MemoryLimit("/web.slice", 1000, 900, 301, 2)
    assert limit.left_bytes == 401


def test_the_memory_limit_of_version_1(tmp_path: Path) -> None:
    files = {
        "memory/memory.limit_in_bytes": "9223372036854771712\n",  # no limit
        "memory/memory.usage_in_bytes": "7\n",
        "memory/web/memory.limit_in_bytes": "1000\n",
        "memory/web/memory.usage_in_bytes": "900\n",
        "memory/web/memory.stat": "inactive_file 7\ntotal_inactive_file 11\n",
        "memory/web/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    }
    limit = read_memory_limit(7, *made(tmp_path, "4:memory:/web\n1:cpu:/other\n", files))
    assert limit == MemoryLimit("/web", 1000, 900, 11, 3)


def test_no_limit_of_memory_is_none(tmp_path: Path) -> None:
    files = {"memory/memory.limit_in_bytes": "x\n", "web/memory.max": "max\n"}
    assert read_memory_limit(7, *made(tmp_path, "4:memory:/\n0::/web\n", files)) is None


def test_a_process_that_has_ended(tmp_path: Path) -> None:
    with pytest.raises(NoSuchProcess):
        read_cpu_limits(7, CgroupTree((), Path.read_bytes, lambda _: ()), str(tmp_path))

# SPDX-License-Identifier: Apache-2.0
"""What the control groups of a process limit, from its own group up to the root.

Both versions: Documentation/admin-guide/cgroup-v2.rst; scheduler/sched-bwc.rst and
admin-guide/cgroup-v1/memory.rst of the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.procfs.cgroup_tree import CgroupTree, Level, levels
from iotrace.procfs.files import PROC

_NS_PER_UNIT = {b"throttled_usec": 1_000, b"throttled_time": 1}
"""cpu.stat of version 2 counts microseconds, of version 1 nanoseconds."""
_MEMORY_FILES = (
    ("memory.max", "memory.current", b"inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", b"total_inactive_file"),
)
"""Of version 2 and of version 1."""
_KILL_FILES = ("memory.events", "memory.oom_control")
"""Of version 2, which counts the groups below as well, and of version 1 (since Linux 4.13)."""
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class CpuLimit:
    """A control group with a CPU quota.

    ``group``: as in ``cgroup_tree.Level``.
    ``quota_cpus``: CPU time for each unit of time, 0.5 is half of one CPU; None: the quota has
    been lifted. ``throttled_ns``: how long the quota has kept the group from running so far;
    version 1 adds up its CPUs, so this can grow faster than time.
    """

    group: str
    quota_cpus: float | None
    throttled_ns: int


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """A control group with a memory limit. ``idle_cache_bytes``: cached files not used lately.
    ``oom_kills``: so many processes the kernel has killed so far for want of memory in it; None:
    not known."""

    group: str
    limit_bytes: int
    usage_bytes: int
    idle_cache_bytes: int
    oom_kills: int | None = None

    @property
    def left_bytes(self) -> int:
        """What can still be allocated; idle cache counts as free."""
        return self.limit_bytes - self.usage_bytes + self.idle_cache_bytes


def read_cpu_limits(pid: int, tree: CgroupTree, root: str = PROC) -> tuple[CpuLimit, ...]:
    """Every group with a CPU quota that ``pid`` is in, the narrowest first.

    Groups above the top of what ``tree`` shows are not seen.
    Raises NoSuchProcess, PermissionDenied, OutOfSight.
    """
    limits = (_cpu_limit(level, tree) for level in levels(pid, "cpu", tree, root))
    return tuple(limit for limit in limits if limit is not None)


def read_memory_limit(pid: int, tree: CgroupTree, root: str = PROC) -> MemoryLimit | None:
    """The memory limit of the groups of ``pid`` that leaves it the least; None: no limit.

    Raises NoSuchProcess, PermissionDenied, OutOfSight.
    """
    limits = (_memory_limit(level, tree) for level in levels(pid, "memory", tree, root))
    known = (limit for limit in limits if limit is not None)
    return min(known, key=lambda limit: limit.left_bytes, default=None)


def _cpu_limit(level: Level, tree: CgroupTree) -> CpuLimit | None:
    throttled = _throttled_ns(f"{level.directory}/cpu.stat", tree)
    if throttled is None:
        return None
    quota = _quota_cpus(level.directory, tree)
    return CpuLimit(level.group, quota, throttled) if quota is not None or throttled else None


def _throttled_ns(path: str, tree: CgroupTree) -> int | None:
    for name, value in _pairs(path, tree):
        if name in _NS_PER_UNIT and value.isdigit():
            return int(value) * _NS_PER_UNIT[name]
    return None


def _quota_cpus(directory: str, tree: CgroupTree) -> float | None:
    try:
        quota, _, period = tree.read(f"{directory}/cpu.max").strip().partition(b" ")
    except OSError:
        quota = str(_number(f"{directory}/cpu.cfs_quota_us", tree) or "").encode()
        period = str(_number(f"{directory}/cpu.cfs_period_us", tree) or "").encode()
    if quota.isdigit() and period.isdigit() and int(period):
        return int(quota) / int(period)
    return None


def _memory_limit(level: Level, tree: CgroupTree) -> MemoryLimit | None:
    directory = level.directory
    for limit_name, usage_name, cache_name in _MEMORY_FILES:
        limit = _number(f"{directory}/{limit_name}", tree)
        usage = _number(f"{directory}/{usage_name}", tree)
        if limit is not None and usage is not None and limit < _NO_LIMIT:
            stat = _pairs(f"{directory}/memory.stat", tree)
            cache = sum(
                int(value) for name, value in stat if name == cache_name and value.isdigit()
            )
            return MemoryLimit(level.group, limit, usage, cache, _oom_kills(directory, tree))
    return None


def _oom_kills(directory: str, tree: CgroupTree) -> int | None:
    for file in _KILL_FILES:
        for name, value in _pairs(f"{directory}/{file}", tree):
            if name == b"oom_kill" and value.isdigit():
                return int(value)
    return None


def _number(path: str, tree: CgroupTree) -> int | None:
    """None: there is no such file, or it says ``max`` or a negative number (no limit)."""
    try:
        data = tree.read(path).strip()
    except OSError:
        return None
    return int(data) if data.isdigit() else None


def _pairs(path: str, tree: CgroupTree) -> list[tuple[bytes, bytes]]:
    """The lines "name value" of a flat keyed file; none where there is no such file."""
    try:
        data = tree.read(path)
    except OSError:
        return []
    return [
        (name, value) for name, _, value in (line.partition(b" ") for line in data.split(b"\n"))
    ]

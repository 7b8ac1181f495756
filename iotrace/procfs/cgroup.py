# SPDX-License-Identifier: Apache-2.0
"""What the control groups of a process limit, from its own group up to the root.

Both versions: Documentation/admin-guide/cgroup-v2.rst; scheduler/sched-bwc.rst and
admin-guide/cgroup-v1/memory.rst of the kernel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.procfs.files import PROC, ProcessErrors, read_file

CGROUPS = "/sys/fs/cgroup"

_LINE = re.compile(rb"^\d+:([^:\n]*):(/[^\n]*)$", re.MULTILINE)
_NS_PER_UNIT = {b"throttled_usec": 1_000, b"throttled_time": 1}
"""cpu.stat of version 2 counts microseconds, of version 1 nanoseconds."""
_MEMORY_FILES = (
    ("memory.max", "memory.current", b"inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", b"total_inactive_file"),
)
"""Of version 2 and of version 1."""
_NO_LIMIT = 1 << 60
_MOST_LEVELS = 64
"""A path has 4,096 characters at most; groups are not nested that deep in earnest."""


@dataclass(frozen=True, slots=True)
class CpuLimit:
    """A control group with a CPU quota.

    ``group``: its path below the hierarchy, "/" for the root of what can be seen.
    ``quota_cpus``: CPU time for each unit of time, 0.5 is half of one CPU; None: the quota has
    been lifted. ``throttled_ns``: how long the quota has kept the group from running so far;
    version 1 adds up its CPUs, so this can grow faster than time.
    """

    group: str
    quota_cpus: float | None
    throttled_ns: int


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """A control group with a memory limit. ``idle_cache_bytes``: cached files not used lately."""

    group: str
    limit_bytes: int
    usage_bytes: int
    idle_cache_bytes: int

    @property
    def left_bytes(self) -> int:
        """What can still be allocated; idle cache counts as free."""
        return self.limit_bytes - self.usage_bytes + self.idle_cache_bytes


def read_cpu_limits(pid: int, root: str = PROC, cgroups: str = CGROUPS) -> tuple[CpuLimit, ...]:
    """Every group with a CPU quota that ``pid`` is in, the narrowest first.

    Groups outside of this cgroup namespace are not seen.
    Raises NoSuchProcess, PermissionDenied, Unsupported.
    """
    limits = (_cpu_limit(*place) for place in _levels(pid, "cpu", root, cgroups))
    return tuple(limit for limit in limits if limit is not None)


def read_memory_limit(pid: int, root: str = PROC, cgroups: str = CGROUPS) -> MemoryLimit | None:
    """The memory limit of the groups of ``pid`` that leaves it the least; None: no limit.

    Raises NoSuchProcess, PermissionDenied, Unsupported.
    """
    limits = (_memory_limit(*place) for place in _levels(pid, "memory", root, cgroups))
    known = (limit for limit in limits if limit is not None)
    return min(known, key=lambda limit: limit.left_bytes, default=None)


def _levels(pid: int, controller: str, root: str, cgroups: str) -> Iterator[tuple[str, str]]:
    """The groups of a process and all above them: path below the hierarchy, and directory."""
    with ProcessErrors(pid, root):
        groups = read_file(f"{root}/{pid}/cgroup")
    for controllers, path in _LINE.findall(groups):
        group = path.decode("utf-8", "surrogateescape").rstrip("/")
        parts = group.split("/")
        if ".." in parts or len(parts) > _MOST_LEVELS:
            continue  # it lies outside of this namespace's part of the tree
        names = controllers.decode("ascii", "replace")
        if names and controller not in names.split(","):
            continue
        for place in (names,) if names else ("", "unified"):
            for depth in range(len(parts), 0, -1):
                level = "/".join(parts[:depth])
                yield level or "/", f"{cgroups}/{place}{level}"


def _cpu_limit(group: str, directory: str) -> CpuLimit | None:
    throttled = _throttled_ns(f"{directory}/cpu.stat")
    if throttled is None:
        return None
    quota = _quota_cpus(directory)
    return CpuLimit(group, quota, throttled) if quota is not None or throttled else None


def _throttled_ns(path: str) -> int | None:
    for name, value in _pairs(path):
        if name in _NS_PER_UNIT and value.isdigit():
            return int(value) * _NS_PER_UNIT[name]
    return None


def _quota_cpus(directory: str) -> float | None:
    try:
        quota, _, period = read_file(f"{directory}/cpu.max").strip().partition(b" ")
    except OSError:
        quota = str(_number(f"{directory}/cpu.cfs_quota_us") or "").encode()
        period = str(_number(f"{directory}/cpu.cfs_period_us") or "").encode()
    if quota.isdigit() and period.isdigit() and int(period):
        return int(quota) / int(period)
    return None


def _memory_limit(group: str, directory: str) -> MemoryLimit | None:
    for limit_name, usage_name, cache_name in _MEMORY_FILES:
        limit = _number(f"{directory}/{limit_name}")
        usage = _number(f"{directory}/{usage_name}")
        if limit is not None and usage is not None and limit < _NO_LIMIT:
            stat = _pairs(f"{directory}/memory.stat")
            cache = sum(
                int(value) for name, value in stat if name == cache_name and value.isdigit()
            )
            return MemoryLimit(group, limit, usage, cache)
    return None


def _number(path: str) -> int | None:
    """None: there is no such file, or it says ``max`` or a negative number (no limit)."""
    try:
        data = read_file(path).strip()
    except OSError:
        return None
    return int(data) if data.isdigit() else None


def _pairs(path: str) -> list[tuple[bytes, bytes]]:
    """The lines "name value" of a flat keyed file; none where there is no such file."""
    try:
        data = read_file(path)
    except OSError:
        return []
    return [
        (name, value) for name, _, value in (line.partition(b" ") for line in data.split(b"\n"))
    ]

"""What a process's control group limits: its CPU time, its memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iotrace.procfs.files import PROC, ProcessErrors, read_file

CGROUPS = "/sys/fs/cgroup"

_LINE = re.compile(rb"^\d+:([^:\n]*):(/[^\n]*)$", re.MULTILINE)
_NS_PER_UNIT = {b"throttled_usec": 1_000, b"throttled_time": 1}
"""cpu.stat of version 2 counts microseconds, of version 1 nanoseconds
(Documentation/scheduler/sched-bwc.rst)."""
_MEMORY_FILES = (
    ("memory.max", "memory.current", b"inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", b"total_inactive_file"),
)
"""Of version 2 and of version 1 (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst)."""
_NO_LIMIT = 1 << 60


def read_throttled_ns(pid: int, root: str = PROC, cgroups: str = CGROUPS) -> int | None:
    """The time so far that the group of ``pid`` was throttled; None: it has no limit, or no file.

    Raises NoSuchProcess, PermissionDenied, Unsupported.
    """
    for place, group in _groups(pid, "cpu", root):
        found = _throttled_ns(f"{cgroups}/{place}{group}/cpu.stat")
        if found is not None:
            return found
    return None


def read_memory_left(pid: int, root: str = PROC, cgroups: str = CGROUPS) -> int | None:
    """Bytes that ``pid`` can still get before its group or one above it is full; None: no limit.

    Cached files count as free, as far as they were not used lately.
    Raises NoSuchProcess, PermissionDenied, Unsupported.
    """
    found = []
    for place, group in _groups(pid, "memory", root):
        parts = group.split("/")
        above = ("/".join(parts[:depth]) for depth in range(len(parts), 0, -1))
        found += [_memory_left(f"{cgroups}/{place}{one}") for one in above]
    return min((left for left in found if left is not None), default=None)


def _groups(pid: int, controller: str, root: str) -> Iterator[tuple[str, str]]:
    """Where under /sys/fs/cgroup a controller's group of a process may lie: (hierarchy, path)."""
    with ProcessErrors(pid, root):
        groups = read_file(f"{root}/{pid}/cgroup")
    for controllers, path in _LINE.findall(groups):
        group = path.decode("utf-8", "surrogateescape").rstrip("/")
        if ".." in group.split("/"):
            continue  # it lies outside of this namespace's part of the tree
        names = controllers.decode("ascii", "replace")
        if names and controller not in names.split(","):
            continue
        for place in (names,) if names else ("", "unified"):
            yield place, group


def _memory_left(group: str) -> int | None:
    for limit_name, usage_name, cached_name in _MEMORY_FILES:
        limit = _number(f"{group}/{limit_name}")
        usage = _number(f"{group}/{usage_name}")
        if limit is not None and usage is not None and limit < _NO_LIMIT:
            return limit - usage + _memory_stat(f"{group}/memory.stat", cached_name)
    return None


def _number(path: str) -> int | None:
    """None: there is no such file, or it says ``max``."""
    try:
        data = read_file(path).strip()
    except OSError:
        return None
    return int(data) if data.isdigit() else None


def _memory_stat(path: str, wanted: bytes) -> int:
    try:
        data = read_file(path)
    except OSError:
        return 0
    values = (line.partition(b" ") for line in data.splitlines())
    return sum(int(value) for name, _, value in values if name == wanted and value.isdigit())


def _throttled_ns(path: str) -> int | None:
    try:
        data = read_file(path)
    except OSError:
        return None
    for line in data.splitlines():
        name, _, value = line.partition(b" ")
        if name in _NS_PER_UNIT and value.isdigit():
            return int(value) * _NS_PER_UNIT[name]
    return None

"""How long a CPU limit has kept a process's control group from running."""

from __future__ import annotations

import re

from iotrace.procfs.files import PROC, ProcessErrors, read_file

CGROUPS = "/sys/fs/cgroup"

_LINE = re.compile(rb"^\d+:([^:\n]*):(/[^\n]*)$", re.MULTILINE)
_NS_PER_UNIT = {b"throttled_usec": 1_000, b"throttled_time": 1}
"""cpu.stat of version 2 counts microseconds, of version 1 nanoseconds
(Documentation/scheduler/sched-bwc.rst)."""


def read_throttled_ns(pid: int, root: str = PROC, cgroups: str = CGROUPS) -> int | None:
    """The time so far that the group of ``pid`` was throttled; None: it has no limit, or no file.

    Raises NoSuchProcess, PermissionDenied, Unsupported.
    """
    with ProcessErrors(pid, root):
        groups = read_file(f"{root}/{pid}/cgroup")
    for controllers, path in _LINE.findall(groups):
        group = path.decode("utf-8", "surrogateescape").rstrip("/")
        if ".." in group.split("/"):
            continue  # it lies outside of this namespace's part of the tree
        names = controllers.decode("ascii", "replace")
        if names and "cpu" not in names.split(","):
            continue
        for place in (names,) if names else ("", "unified"):
            found = _throttled_ns(f"{cgroups}/{place}{group}/cpu.stat")
            if found is not None:
                return found
    return None


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

# SPDX-License-Identifier: Apache-2.0
"""What limits a process: its control groups, wherever they can be seen.

In a cgroup namespace of its own (a container's default on cgroup version 2) iotrace sees its own
groups only. Then the groups of others are where process 1 sees them, with hostPID, or what started
the container, or the process itself: in files that such a process can have mounted anything on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

from iotrace.errors import IotraceError, NoSuchProcess, PermissionDenied
from iotrace.procfs.cgroup import CpuLimit, MemoryLimit
from iotrace.procfs.cgroup import read_cpu_limits as procfs_cpu_limits
from iotrace.procfs.cgroup import read_memory_limit as procfs_memory_limit
from iotrace.procfs.cgroup_tree import CgroupTree, OutOfSight, own_tree, tree_seen_by
from iotrace.procfs.stat import read_stat
from iotrace.target_reader.asking import Asker
from iotrace.target_reader.programs import members

_INIT = 1
_MOST_ANCESTORS = 64
_Found = TypeVar("_Found")


def read_cpu_limits(reader: Asker, pid: int) -> tuple[CpuLimit, ...]:
    """As procfs.cgroup's; () where they cannot be seen, and the reader is told so.

    Raises NoSuchProcess.
    """
    try:
        return procfs_cpu_limits(pid, own_tree())
    except OutOfSight:
        found = _asked(reader, "cpu_limits", pid, "what limits its CPU time")
        return tuple(CpuLimit(*one) for one in found or ())


def read_memory_limit(reader: Asker, pid: int) -> MemoryLimit | None:
    """As procfs.cgroup's; None where it cannot be seen, and the reader is told so.

    Raises NoSuchProcess.
    """
    try:
        return procfs_memory_limit(pid, own_tree())
    except OutOfSight:
        found = _asked(reader, "memory_limit", pid, "what limits its memory")
        return MemoryLimit(*found) if found else None


def cpu_limits(_session: object, pid: int) -> Any:
    """In the reader."""
    return [members(one) for one in _anywhere(pid, procfs_cpu_limits)]


def memory_limit(_session: object, pid: int) -> Any:
    """In the reader."""
    limit = _anywhere(pid, procfs_memory_limit)
    return members(limit) if limit else None


@cache
def _tree_of_init() -> CgroupTree:
    """Process 1 of a PID namespace stays the same, and its mounts can be many."""
    return tree_seen_by(_INIT)


def _asked(reader: Asker, question: str, pid: int, what: str) -> Any:
    try:
        return reader.ask(question, pid)
    except NoSuchProcess:
        raise
    except IotraceError as error:
        reader.cut_short(pid, f"{what} is not known: {error.what}: {error.why}".rstrip(": "))
        return None


def _anywhere(pid: int, read: Callable[[int, CgroupTree], _Found]) -> _Found:
    """Where the most is seen. Raises what is in the way at the process itself."""
    for seer in (_INIT, *reversed(tuple(_ancestors(pid)))):
        try:
            return read(pid, _tree_of_init() if seer == _INIT else tree_seen_by(seer))
        except (OutOfSight, PermissionDenied, NoSuchProcess):
            continue
    return read(pid, tree_seen_by(pid))


def _ancestors(pid: int) -> Iterator[int]:
    """From its parent up to before process 1: what started a container is not in it, and security
    modules may keep process 1 from being looked into. Raises NoSuchProcess."""
    for _ in range(_MOST_ANCESTORS):
        pid = read_stat(pid).parent
        if pid <= _INIT:
            return
        yield pid

# SPDX-License-Identifier: Apache-2.0
"""The processes that a process started, and those that they started."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from iotrace.errors import NoSuchProcess, Unsupported
from iotrace.procfs.files import PROC, read_task_file
from iotrace.procfs.namespace import read_pids
from iotrace.procfs.stat import read_stat
from iotrace.procfs.task import read_tids


def parse_children(data: bytes) -> tuple[int, ...]:
    """``/proc/PID/task/TID/children``. Raises ``ValueError`` for anything but numbers."""
    return tuple([int(number) for number in data.split()])


def read_children(pid: int, root: str = PROC) -> tuple[int, ...]:
    """All descendants of a process, nearest generation first, without itself.

    Those are missed whose parent in between has ended, as they belong to another process then;
    and perhaps one that was born or ended meanwhile: proc_pid_tid_children(5) promises no more.
    Raises ``NoSuchProcess``.
    """
    read_tids(pid, root)
    try:
        return _descendants(pid, lambda parent: _listed_children(parent, root))
    except Unsupported:  # a kernel without CONFIG_PROC_CHILDREN
        by_parent = _processes_by_parent(root)
        return _descendants(pid, lambda parent: by_parent[parent])


def _descendants(pid: int, children_of: Callable[[int], Iterable[int]]) -> tuple[int, ...]:
    # A pid taken over by a new process meanwhile could close a circle: none is visited twice.
    found = {pid: None}
    generation = [pid]
    while generation:
        born = [child for parent in generation for child in children_of(parent)]
        generation = [child for child in dict.fromkeys(born) if child not in found]
        found.update(dict.fromkeys(generation))
    return tuple(found)[1:]


def _listed_children(pid: int, root: str) -> list[int]:
    children: list[int] = []
    try:
        for tid in read_tids(pid, root):
            try:
                children += parse_children(read_task_file(pid, tid, "children", root))
            except NoSuchProcess:  # just this thread has ended
                continue
    except NoSuchProcess:
        pass
    return children


def _processes_by_parent(root: str) -> defaultdict[int, list[int]]:
    by_parent: defaultdict[int, list[int]] = defaultdict(list)
    for pid in read_pids(root):
        try:
            by_parent[read_stat(pid, root=root).parent].append(pid)
        except NoSuchProcess:
            continue
    return by_parent

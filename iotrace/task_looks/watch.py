# SPDX-License-Identifier: Apache-2.0
"""Looks at a process's tasks again and again: what has not moved meanwhile is suspended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from iotrace.asyncio_tasks.task_look import Look
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.descriptors import Descriptor
from iotrace.procfs.net_tables import Socket
from iotrace.target_reader.opened import read_descriptors, read_sockets
from iotrace.target_reader.reader import TargetReader
from iotrace.target_reader.tasks import look_at_tasks, read_more_tasks, read_tasks

_GAP_NS = 50_000_000
_SHARE = 4
"""Of the time that is watched no more than a fourth is spent looking."""
_LONGEST_NS = 20_000_000_000
"""What one look has not read by then is left out."""
_MOST_DESCRIPTORS = 1 << 16


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen; ``watched_ns``: from the first look to the last. ``descriptors``: those that
    tasks wait on, by number, and their ``sockets`` by inode."""

    look: Look
    watched_ns: int
    descriptors: Mapping[int, Descriptor]
    sockets: Mapping[int, Socket]


def watch(reader: TargetReader, pid: int, duration_ns: int) -> Watched:
    """Look for that long, or once if that is 0.

    Raises NoSuchProcess, PermissionDenied, Unsupported.
    """
    first_ns = begin_ns = time.monotonic_ns()
    end_ns = _look(reader, pid)
    until_ns = end_ns + duration_ns
    while duration_ns and begin_ns < until_ns:  # the last look begins after that time
        pause_ns = max(_GAP_NS, _SHARE * (end_ns - begin_ns) if begin_ns != first_ns else 0)
        time.sleep(max(0, min(pause_ns, until_ns - end_ns)) / 1e9)
        begin_ns = time.monotonic_ns()
        end_ns = _look(reader, pid)
    look = read_tasks(reader, pid)
    fds = {one.descriptor.fd for one in look.tasks if one.descriptor is not None}
    try:
        descriptors = read_descriptors(reader, pid, _MOST_DESCRIPTORS, fds)[0] if fds else {}
        inodes = [one.inode for one in descriptors.values() if one.inode is not None]
        sockets = read_sockets(reader, pid, inodes) if inodes else {}
    except (NoSuchProcess, PermissionDenied, Unsupported):
        descriptors, sockets = {}, {}
    return Watched(look, end_ns - first_ns, descriptors, sockets)


def _look(reader: TargetReader, pid: int) -> int:
    """One look, part by part; the time of its end."""
    until_ns = time.monotonic_ns() + _LONGEST_NS
    left = look_at_tasks(reader, pid)
    while left and time.monotonic_ns() < until_ns:
        left = read_more_tasks(reader, pid)
    return time.monotonic_ns()

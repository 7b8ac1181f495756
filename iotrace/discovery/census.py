# SPDX-License-Identifier: Apache-2.0
"""The processes of the host, as far as the kernel alone describes them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.cgroup_paths import container_id_in, read_cgroup_paths, unit_in
from iotrace.procfs.files import PROC, TooLarge
from iotrace.procfs.namespace import Namespace, read_namespace, read_pids
from iotrace.procfs.process import read_exe
from iotrace.procfs.stat import read_stat


@dataclass(frozen=True, slots=True)
class Candidate:
    """One process that could be traced.

    ``start_ticks`` tell it from another with the same pid, ``exe`` from what it was before an exec.
    ``groups``: paths of its control groups; ``network``: its network namespace, None: not known.
    """

    pid: int
    parent: int
    name: str
    start_ticks: int
    exe: str | None
    groups: tuple[str, ...]
    network: Namespace | None

    @property
    def container_id(self) -> str | None:
        """Of the container that it runs in, 64 digits; None: in none."""
        return container_id_in(self.groups)

    @property
    def unit(self) -> str | None:
        """The systemd unit that it belongs to; None: to none."""
        return unit_in(self.groups)


Census = Mapping[int, Candidate]
"""Pid -> process."""


def take_census(before: Census | None = None, root: str = PROC) -> Census:
    """Every living process but kernel threads, this one, its ancestors and its descendants.

    A shell or sudo that runs this has the same words in its command line.

    ``before``: an earlier one, from which the control groups and the network namespace of those are
    taken that are there still: reading them is most of the work.
    """
    found = {}
    for pid in read_pids(root):
        candidate = _candidate(pid, (before or {}).get(pid), root)
        if candidate is not None:
            found[pid] = candidate
    ours = os.getpid()
    own = {ours, *_ancestors(ours, found)}
    return {
        pid: candidate
        for pid, candidate in found.items()
        if pid not in own and ours not in _ancestors(pid, found)
    }


def _candidate(pid: int, known: Candidate | None, root: str) -> Candidate | None:
    try:
        stat = read_stat(pid, root=root)
        if stat.kernel_thread or (stat.ended and stat.threads <= 1):
            return None
        exe = read_exe(pid, root)
        if known is not None and (known.start_ticks, known.exe) == (stat.start_ticks, exe):
            groups, network = known.groups, known.network
        else:
            groups, network = _groups(pid, root), _network(pid, root)
        return Candidate(pid, stat.parent, stat.name, stat.start_ticks, exe, groups, network)
    except (NoSuchProcess, PermissionDenied, ValueError):
        return None


def _groups(pid: int, root: str) -> tuple[str, ...]:
    try:
        return read_cgroup_paths(pid, root)
    except (Unsupported, TooLarge):
        return ()


def _network(pid: int, root: str) -> Namespace | None:
    try:
        return read_namespace(pid, "net", root)
    except (PermissionDenied, Unsupported):
        return None


def without_descendants(pids: frozenset[int], census: Census) -> frozenset[int]:
    """Those of ``pids`` that descend from none of the others: tracing follows children itself."""
    return frozenset(pid for pid in pids if pids.isdisjoint(_ancestors(pid, census)))


def _ancestors(pid: int, census: Census) -> Iterator[int]:
    """The nearest first."""
    passed = {pid}
    while pid in census:
        pid = census[pid].parent
        if pid in passed:  # a number that was used again meanwhile
            return
        passed.add(pid)
        yield pid

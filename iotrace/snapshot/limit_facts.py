# SPDX-License-Identifier: Apache-2.0
"""What limits the traced processes: CPU quotas, memory limits, pages that come from the disk."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from iotrace.procfs.cgroup import CpuLimit, MemoryLimit
from iotrace.procfs.host import CpuTimes, read_cpu_times, read_swapped_in_pages
from iotrace.procfs.stat import read_stat
from iotrace.procfs.status import Status, read_status
from iotrace.target_reader.asking import Asker
from iotrace.target_reader.limits import read_cpu_limits, read_memory_limit

_TICK_NS = 10_000_000
"""In which the kernel counts."""


@dataclass(frozen=True, slots=True)
class OwnMemory:
    """In RAM or on swap: ``now_bytes``, at the last look; ``grown_bytes`` from the first one, which
    was ``watched_ns`` before."""

    now_bytes: int
    grown_bytes: int
    watched_ns: int


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """One process.

    ``cpu``: of the control groups with a CPU quota the one that was throttled longest, with the
    time that it was throttled while the process was traced. ``memory``: the limit that leaves the
    least, with the processes that were killed there meanwhile. ``major_faults``: page faults that
    waited for storage (proc_pid_stat(5)), while traced. ``cpus``: so many its first thread may run
    on (sched_setaffinity(2), cpuset). ``swapped_bytes``: of its memory, on swap.
    ``swapped_in_pages``: that the whole machine has fetched from there while the process was
    traced; None: not known. ``machine``: what all of its CPUs did meanwhile. ``most_open_files``:
    RLIMIT_NOFILE, by now. ``own``: its memory that no file holds; None: the kernel does not tell.
    """

    cpu: CpuLimit | None
    memory: MemoryLimit | None
    major_faults: int
    cpus: int | None = None
    swapped_bytes: int = 0
    swapped_in_pages: int | None = None
    machine: CpuTimes | None = None
    most_open_files: int | None = None
    own: OwnMemory | None = None


class LimitBook:
    """Counters of the kernel that began before the trace, and what they grew by since."""

    def __init__(self, reader: Asker, at_attach: Mapping[int, Sequence[CpuLimit]]) -> None:
        """``at_attach``: what ``read_cpu_limits`` said of a process when its trace began.

        It may be added to until the first look at that process.
        """
        self._reader = reader
        self._at_attach = at_attach
        self._throttled_from: dict[int, dict[str, int]] = {}
        self._kills_from: dict[int, dict[str, int]] = {}
        self._faults_from: dict[int, int] = {}
        self._swapped_in_from: dict[int, int] = {}
        self._own_from: dict[int, tuple[int, int]] = {}
        self._machine = _Machine()
        self._times_from: dict[int, CpuTimes] = {}

    def look(self, pid: int) -> ProcessLimits:
        """The limits of a process now; the first look at it is its beginning.

        Raises NoSuchProcess.
        """
        limits = read_cpu_limits(self._reader, pid)
        if pid not in self._throttled_from:
            known = self._at_attach.get(pid, limits)
            self._throttled_from[pid] = {one.group: one.throttled_ns for one in known}
        faults = read_stat(pid).major_faults
        status = read_status(pid)
        times, pages = self._machine.look()
        began = self._times_from.setdefault(pid, times) if times else None
        return ProcessLimits(
            cpu=self._most_throttled(pid, limits),
            memory=self._memory(pid),
            major_faults=faults - self._faults_from.setdefault(pid, faults),
            cpus=_cpus_allowed(pid),
            swapped_bytes=status.swapped_bytes,
            swapped_in_pages=None
            if pages is None
            else pages - self._swapped_in_from.setdefault(pid, pages),
            machine=_grown(began, times) if began and times else None,
            most_open_files=_most_open_files(pid),
            own=self._own_memory(pid, status),
        )

    def forget(self, pid: int) -> None:
        """The process has ended."""
        self._throttled_from.pop(pid, None)
        self._kills_from.pop(pid, None)
        self._faults_from.pop(pid, None)
        self._swapped_in_from.pop(pid, None)
        self._own_from.pop(pid, None)
        self._times_from.pop(pid, None)

    def _memory(self, pid: int) -> MemoryLimit | None:
        limit = read_memory_limit(self._reader, pid)
        if limit is None or limit.oom_kills is None:
            return limit
        began = self._kills_from.setdefault(pid, {}).setdefault(limit.group, limit.oom_kills)
        return replace(limit, oom_kills=max(0, limit.oom_kills - began))

    def _own_memory(self, pid: int, status: Status) -> OwnMemory | None:
        if status.anonymous_bytes is None:
            return None
        now, own = time.monotonic_ns(), status.anonymous_bytes + status.swapped_bytes
        at, had = self._own_from.setdefault(pid, (now, own))
        return OwnMemory(own, own - had, now - at)

    def _most_throttled(self, pid: int, limits: Sequence[CpuLimit]) -> CpuLimit | None:
        """What a group that the process was moved to had counted before is left out."""
        began = self._throttled_from[pid]
        grown = [
            CpuLimit(
                one.group,
                one.quota_cpus,
                max(0, one.throttled_ns - began.setdefault(one.group, one.throttled_ns)),
            )
            for one in limits
        ]
        return max(grown, key=_by_throttling, default=None)


class _Machine:
    """What the machine counts. To read that takes a kernel of many CPUs milliseconds, so processes
    that are looked at within one tick share a look."""

    def __init__(self) -> None:
        self._read_ns = 0
        self._times: CpuTimes | None = None
        self._swapped_in_pages: int | None = None

    def look(self) -> tuple[CpuTimes | None, int | None]:
        """Times of its CPUs, and pages from swap; None: a container's /proc does not tell."""
        now = time.monotonic_ns()
        if now - self._read_ns > _TICK_NS:
            self._read_ns = now
            with contextlib.suppress(OSError, ValueError):
                self._times = read_cpu_times()
            self._swapped_in_pages = read_swapped_in_pages()
        return self._times, self._swapped_in_pages


def _grown(began: CpuTimes, now: CpuTimes) -> CpuTimes:
    """Steal may be corrected downwards: proc_stat(5)."""
    return CpuTimes(
        max(0, now.running_ns - began.running_ns), max(0, now.stolen_ns - began.stolen_ns)
    )


def _most_open_files(pid: int) -> int | None:
    """None: it has ended, there is no limit, or another user's is not told."""
    try:
        soft, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    except (OSError, ValueError):
        return None
    return None if soft == resource.RLIM_INFINITY else soft


def _cpus_allowed(pid: int) -> int | None:
    """None: it has ended."""
    try:
        return len(os.sched_getaffinity(pid))
    except OSError:
        return None


def _by_throttling(limit: CpuLimit) -> tuple[int, float]:
    """The smallest quota where none was throttled more than the others."""
    quota = limit.quota_cpus
    return limit.throttled_ns, float("-inf") if quota is None else -quota

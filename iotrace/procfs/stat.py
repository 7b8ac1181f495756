# SPDX-License-Identifier: Apache-2.0
"""``/proc/PID/stat`` and ``/proc/PID/task/TID/stat``: proc_pid_stat(5), fs/proc/array.c."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from iotrace.procfs.files import PROC, read_process_file, read_task_file, text_of

NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
# include/linux/sched.h
_PF_IO_WORKER = 0x00000010
_PF_KTHREAD = 0x00200000

# Positions after the name, which is field 2 of proc_pid_stat(5): its field 3 is 0 here.
_STATE, _PARENT, _FLAGS = 0, 1, 6
_MINOR_FAULTS, _MAJOR_FAULTS = 7, 9
_USER_TICKS, _KERNEL_TICKS = 11, 12
_THREADS, _START_TICKS = 17, 19


@dataclass(frozen=True, slots=True)
class Stat:
    """One thread; or a whole process, when it was read from ``/proc/PID/stat``.

    ``id`` is the tid (or pid). ``state`` is one letter: R running or ready, S asleep, D asleep
    beyond signals, T stopped, Z ended. ``user_ns`` and ``kernel_ns`` count in clock ticks
    (10 ms). ``start_ticks`` are since boot, time suspended included: see ``started_ns``.
    """

    id: int
    name: str
    state: str
    parent: int
    flags: int
    minor_faults: int
    major_faults: int
    user_ns: int
    kernel_ns: int
    threads: int
    start_ticks: int

    @property
    def kernel_thread(self) -> bool:
        """Whether it belongs to the kernel and has no program."""
        return bool(self.flags & _PF_KTHREAD)

    @property
    def ended(self) -> bool:
        """Whether it has ended and is only waited for (a process: its first thread)."""
        return self.state in ("Z", "X")

    @property
    def io_worker(self) -> bool:
        """Whether it is a thread that the kernel added to the process for io_uring."""
        return bool(self.flags & _PF_IO_WORKER)


def parse_stat(data: bytes) -> Stat:
    """Raises ``ValueError`` for anything that isn't such a file.

    The name is whatever the process set: it may hold spaces, parentheses and newlines, so it
    ends at the last parenthesis.
    """
    opening, closing = data.find(b"("), data.rfind(b")")
    fields = data[closing + 1 :].split()
    if not 0 < opening < closing or len(fields) <= _START_TICKS or len(fields[_STATE]) != 1:
        raise ValueError("not a stat file of /proc")
    return Stat(
        id=int(data[:opening]),
        name=text_of(data[opening + 1 : closing]),
        state=fields[_STATE].decode("ascii"),
        parent=int(fields[_PARENT]),
        flags=int(fields[_FLAGS]),
        minor_faults=int(fields[_MINOR_FAULTS]),
        major_faults=int(fields[_MAJOR_FAULTS]),
        user_ns=int(fields[_USER_TICKS]) * NS_PER_TICK,
        kernel_ns=int(fields[_KERNEL_TICKS]) * NS_PER_TICK,
        threads=int(fields[_THREADS]),
        start_ticks=int(fields[_START_TICKS]),
    )


def read_stat(pid: int, tid: int | None = None, root: str = PROC) -> Stat:
    """Of one thread, or of the whole process without ``tid``.

    Raises ``NoSuchProcess``, ``PermissionDenied``.
    """
    if tid is None:
        return parse_stat(read_process_file(pid, "stat", root))
    return parse_stat(read_task_file(pid, tid, "stat", root))


def suspended_ns() -> int:
    """How long this host has been suspended since boot: CLOCK_BOOTTIME - CLOCK_MONOTONIC.

    See clock_gettime(2). Rounded to a millisecond, for the two clocks are read one after the
    other; start times are ten times coarser.
    """
    difference = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return round(difference, -6)


def started_ns(start_ticks: int, suspended: int) -> int:
    """When a thread started, on CLOCK_MONOTONIC (``time.monotonic_ns``, bpf_ktime_get_ns).

    ``start_ticks`` is that of ``Stat``, ``suspended`` is ``suspended_ns()``. Rounded down to a
    tick (10 ms). Each time the host was suspended *after* the start makes the answer too early
    by that time, for the kernel keeps the start on CLOCK_BOOTTIME only; it may be below 0.
    """
    return start_ticks * NS_PER_TICK - suspended

# SPDX-License-Identifier: Apache-2.0
"""The threads of a process: which call each one sleeps in, and what the scheduler counted.

Files of ``/proc/PID/task/TID``: proc_pid_syscall(5) and Documentation/scheduler/sched-stats.rst.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeVar

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.files import PROC, ProcessErrors, read_task_file
from iotrace.procfs.stat import Stat, read_stat
from iotrace.procfs.status import Status, read_status


class Activity(Enum):
    """What a thread does that isn't asleep in a system call."""

    RUNNING = "running"
    OUTSIDE = "outside"


RUNNING: Final = Activity.RUNNING
"""On a CPU, or ready and waiting for one. Once woken it may not have left its call yet."""
OUTSIDE: Final = Activity.OUTSIDE
"""Asleep, but in no system call: in a page fault, stopped, ended, or io_uring's own thread."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Asleep in system call ``number`` with six register-wide ``args``; its registers beside."""

    number: int
    args: tuple[int, ...]
    sp: int
    pc: int


TaskActivity = Blocked | Literal[Activity.RUNNING, Activity.OUTSIDE]


@dataclass(frozen=True, slots=True)
class Schedstat:
    """Time on a CPU, time ready but waiting for one, and how often it was given one.

    All three are 0 on a kernel without CONFIG_SCHED_INFO.
    """

    run_ns: int
    runq_ns: int
    slices: int


@dataclass(frozen=True, slots=True)
class Task:
    """One thread. ``None``: this kernel doesn't tell, or not to this user."""

    stat: Stat
    status: Status
    schedstat: Schedstat | None
    activity: TaskActivity | None


_Fact = TypeVar("_Fact")

_FREEZERS = (b"get_signal", b"do_freezer_trap", b"__refrigerator")
"""Of cgroup v2, kernel/signal.c (the first, where the second is inlined); of v1, kernel/freezer.c.
Who sleeps in the first otherwise is stopped."""
_REGISTER = rb" 0x([0-9a-f]{1,16})"
_IN_CALL = re.compile(rb"(\d{1,10})" + _REGISTER * 8 + rb"\n?")
_NOT_IN_CALL = re.compile(rb"-\d{1,10}" + _REGISTER * 2 + rb"\n?")
_SCHEDSTAT = re.compile(rb"(\d{1,20}) (\d{1,20}) (\d{1,20})\n?")


def parse_syscall(data: bytes) -> TaskActivity:
    """``/proc/PID/task/TID/syscall``. Raises ``ValueError`` for anything else."""
    if match := _IN_CALL.fullmatch(data):
        number, *registers = match.groups()
        *args, sp, pc = [int(register, 16) for register in registers]
        if not sp and not pc:
            # Threads of the kernel, io_uring's among them, never were in user space. What they
            # show as a call is left over from the thread that made them.
            return OUTSIDE
        return Blocked(int(number), tuple(args), sp, pc)
    if data.rstrip(b"\n") == b"running":
        return RUNNING
    if _NOT_IN_CALL.fullmatch(data):
        return OUTSIDE
    raise ValueError("not a syscall file of /proc")


def parse_schedstat(data: bytes) -> Schedstat:
    """``/proc/PID/task/TID/schedstat``. Raises ``ValueError`` for anything else."""
    match = _SCHEDSTAT.fullmatch(data)
    if match is None:
        raise ValueError("not a schedstat file of /proc")
    run_ns, runq_ns, slices = map(int, match.groups())
    return Schedstat(run_ns, runq_ns, slices)


def read_tids(pid: int, root: str = PROC) -> tuple[int, ...]:
    """The threads of a process, in ascending order. Raises ``NoSuchProcess``."""
    with ProcessErrors(pid, root):
        return tuple(sorted(map(int, os.listdir(f"{root}/{pid}/task"))))  # noqa: PTH208


def read_activity(pid: int, tid: int, root: str = PROC) -> TaskActivity:
    """What a thread does just now.

    Raises ``NoSuchProcess``, ``PermissionDenied``, ``Unsupported``.
    """
    return parse_syscall(read_task_file(pid, tid, "syscall", root))


def is_frozen(pid: int, tid: int, root: str = PROC) -> bool:
    """Whether a thread sleeps because its control group is frozen; False where nothing tells.

    Raises ``NoSuchProcess``.
    """
    try:
        return read_task_file(pid, tid, "wchan", root) in _FREEZERS
    except (PermissionDenied, Unsupported):
        return False


def read_schedstat(pid: int, tid: int, root: str = PROC) -> Schedstat:
    """Raises ``NoSuchProcess``, ``PermissionDenied``, ``Unsupported``."""
    return parse_schedstat(read_task_file(pid, tid, "schedstat", root))


def read_task(pid: int, tid: int, root: str = PROC) -> Task:
    """All of the above of one thread. Raises ``NoSuchProcess``, ``PermissionDenied``."""
    return Task(
        stat=read_stat(pid, tid, root),
        status=read_status(pid, tid, root),
        schedstat=_if_told(read_schedstat, pid, tid, root),
        activity=_if_told(read_activity, pid, tid, root),
    )


def _if_told(read: Callable[[int, int, str], _Fact], pid: int, tid: int, root: str) -> _Fact | None:
    try:
        return read(pid, tid, root)
    except (PermissionDenied, Unsupported):
        return None


def read_tasks(pid: int, root: str = PROC) -> dict[int, Task]:
    """Every thread of a process by tid; those that end meanwhile are left out.

    Raises ``NoSuchProcess``.
    """
    tasks = {}
    for tid in read_tids(pid, root):
        try:
            tasks[tid] = read_task(pid, tid, root)
        except NoSuchProcess:
            continue
    return tasks

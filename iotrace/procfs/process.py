# SPDX-License-Identifier: Apache-2.0
"""Who a process is: its program, its command line, its parent."""

from __future__ import annotations

import os
from dataclasses import dataclass

from iotrace.procfs.files import PROC, ProcessErrors, read_start, text_of
from iotrace.procfs.stat import read_stat, started_ns, suspended_ns
from iotrace.procfs.status import read_status

_CMDLINE_BYTES = 1 << 14


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, as the kernel alone describes it: reading this never waits for the process.

    ``pid`` is its own even if it was looked up by the tid of a thread of it. ``namespaced_ids`` as
    in ``Status``. ``started_ns`` is on CLOCK_MONOTONIC, see ``stat.started_ns``. ``uid``: the
    effective user.
    """

    pid: int
    parent: int
    name: str
    kernel_thread: bool
    uid: int
    namespaced_ids: tuple[int, ...]
    threads: int
    started_ns: int


@dataclass(frozen=True, slots=True)
class Program:
    """What a process runs.

    ``exe``: path of its program as the process sees it, `` (deleted)`` added if it is gone;
    None: it has none (kernel threads, ended processes) or this user may not know.
    """

    cmdline: tuple[str, ...]
    exe: str | None


def parse_cmdline(data: bytes) -> tuple[str, ...]:
    """``/proc/PID/cmdline``: the arguments; () for kernel threads and ended processes.

    Processes that rename themselves leave NULs after their last argument: these are dropped, and
    with them empty last arguments.
    """
    stripped = data.rstrip(b"\0")
    return tuple(text_of(stripped).split("\0")) if stripped else ()


def read_cmdline(pid: int, root: str = PROC) -> tuple[str, ...]:
    """The arguments; "..." stands for those that 16 KiB have no room for.

    They lie in the process's own memory, which need not answer. Raises ``NoSuchProcess``.
    """
    with ProcessErrors(pid, root):
        data = read_start(f"{root}/{pid}/cmdline", _CMDLINE_BYTES + 1)
    if len(data) <= _CMDLINE_BYTES:
        return parse_cmdline(data)
    return (*parse_cmdline(data[:_CMDLINE_BYTES]), "...")


def read_exe(pid: int, root: str = PROC) -> str | None:
    """As in ``Program.exe``."""
    try:
        return os.readlink(f"{root}/{pid}/exe")  # noqa: PTH115 (one system call, no object)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def read_program(pid: int, root: str = PROC) -> Program:
    """Raises ``NoSuchProcess``."""
    return Program(read_cmdline(pid, root), read_exe(pid, root))


def read_identity(pid: int, root: str = PROC) -> Identity:
    """The process that has a thread ``pid``. Raises ``NoSuchProcess``, ``PermissionDenied``."""
    status = read_status(pid, root=root)
    if status.tgid != pid:
        pid = status.tgid
        status = read_status(pid, root=root)
    stat = read_stat(pid, root=root)
    return Identity(
        pid=pid,
        parent=stat.parent,
        name=stat.name,
        kernel_thread=stat.kernel_thread,
        uid=status.effective_uid,
        namespaced_ids=status.namespaced_ids,
        threads=stat.threads,
        started_ns=started_ns(stat.start_ticks, suspended_ns()),
    )


def read_cwd(pid: int, root: str = PROC) -> str:
    """Its working directory. Raises ``NoSuchProcess``, ``PermissionDenied``."""
    with ProcessErrors(pid, root):
        return os.readlink(f"{root}/{pid}/cwd")  # noqa: PTH115 (one system call, no object)

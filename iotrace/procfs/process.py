"""Who a process is: its program, its command line, its parent."""

from __future__ import annotations

import os
from dataclasses import dataclass

from iotrace.procfs.files import PROC, read_process_file, text_of
from iotrace.procfs.stat import read_stat, started_ns, suspended_ns
from iotrace.procfs.status import read_status


@dataclass(frozen=True, slots=True)
class Process:
    """One process. ``pid`` is its own even if it was looked up by the tid of a thread of it.

    ``exe``: path of its program as the process sees it, `` (deleted)`` added if it is gone;
    None: it has none (kernel threads, ended processes) or this user may not know.
    ``namespaced_ids`` as in ``Status``. ``started_ns`` is on CLOCK_MONOTONIC, see
    ``stat.started_ns``. ``uid``: the effective user.
    """

    pid: int
    parent: int
    name: str
    cmdline: tuple[str, ...]
    exe: str | None
    kernel_thread: bool
    uid: int
    namespaced_ids: tuple[int, ...]
    threads: int
    started_ns: int


def parse_cmdline(data: bytes) -> tuple[str, ...]:
    """``/proc/PID/cmdline``: the arguments; () for kernel threads and ended processes.

    Processes that rename themselves leave NULs after their last argument: these are dropped, and
    with them empty last arguments.
    """
    stripped = data.rstrip(b"\0")
    return tuple(text_of(stripped).split("\0")) if stripped else ()


def read_cmdline(pid: int, root: str = PROC) -> tuple[str, ...]:
    """Raises ``NoSuchProcess``."""
    return parse_cmdline(read_process_file(pid, "cmdline", root))


def read_exe(pid: int, root: str = PROC) -> str | None:
    """As in ``Process.exe``."""
    try:
        return os.readlink(f"{root}/{pid}/exe")  # noqa: PTH115 (one system call, no object)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def read_process(pid: int, root: str = PROC) -> Process:
    """The process that has a thread ``pid``. Raises ``NoSuchProcess``, ``PermissionDenied``."""
    status = read_status(pid, root=root)
    if status.tgid != pid:
        pid = status.tgid
        status = read_status(pid, root=root)
    stat = read_stat(pid, root=root)
    return Process(
        pid=pid,
        parent=stat.parent,
        name=stat.name,
        cmdline=read_cmdline(pid, root),
        exe=read_exe(pid, root),
        kernel_thread=stat.kernel_thread,
        uid=status.effective_uid,
        namespaced_ids=status.namespaced_ids,
        threads=stat.threads,
        started_ns=started_ns(stat.start_ticks, suspended_ns()),
    )

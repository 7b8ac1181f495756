"""Whether a thread sleeps, and whether a process is there."""

from __future__ import annotations

from pathlib import Path

from iotrace.engine.syscalls import ARCHITECTURES
from iotrace.procfs.host import read_host
from iotrace.procfs.task import Blocked, parse_syscall

_NUMBERS = ARCHITECTURES[read_host().machine].numbers


def sleeps_in(pid: int, tid: int, *syscalls: str) -> bool:
    """Whether a thread is asleep in one of these system calls (in any, if none is given)."""
    try:
        activity = parse_syscall(Path(f"/proc/{pid}/task/{tid}/syscall").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return False
    wanted = {_NUMBERS[name] for name in syscalls if name in _NUMBERS}
    return isinstance(activity, Blocked) and (not syscalls or activity.number in wanted)


def is_alive(pid: int) -> bool:
    """Whether a process is there and not just waiting to be reaped."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")

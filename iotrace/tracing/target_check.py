# SPDX-License-Identifier: Apache-2.0
"""Is this pid something that can be traced? If not, say why and what to do."""

from __future__ import annotations

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported, UsageError
from iotrace.procfs.children import read_children
from iotrace.procfs.namespace import find_by_inner_pid
from iotrace.procfs.process import Identity, read_identity
from iotrace.procfs.stat import read_stat
from iotrace.target_reader.programs import read_python
from iotrace.target_reader.reader import TargetReader

_ASKED = 256
"""More descendants are not asked whether they are Python before the trace begins."""


def check_target(pid: int) -> Identity:
    """The process. Raises NoSuchProcess or UsageError, each with the next step."""
    try:
        process = read_identity(pid)
    except NoSuchProcess:
        outer = [found for found in find_by_inner_pid(pid) if found != pid]
        if outer:
            raise NoSuchProcess(
                f"There is no process {pid} on this host.",
                why=f"A process in another PID namespace (a container) has that number inside; "
                f"here it is {', '.join(map(str, outer))}.",
                paste=f"sudo iotrace attach {outer[0]}",
            ) from None
        raise NoSuchProcess(
            f"There is no process {pid}.",
            why="It has ended, or the number is wrong.",
            paste="pgrep -af python",
        ) from None
    if process.threads <= 1 and read_stat(process.pid).ended:
        raise NoSuchProcess(
            f"Process {pid} ({process.name}) has ended.",
            why="Its parent has not waited for it yet, so its number is still there (a zombie).",
            paste="pgrep -af python",
        )
    if process.kernel_thread:
        raise UsageError(
            f"{pid} ({process.name}) is a kernel thread.",
            why="It has no program, and makes no system calls.",
            paste="pgrep -af python",
        )
    if process.pid != pid:
        raise UsageError(
            f"{pid} is a thread of process {process.pid} ({process.name}).",
            why="A process is traced with all its threads.",
            paste=f"sudo iotrace attach {process.pid}",
        )
    return process


def runs_python(pid: int, reader: TargetReader) -> bool:
    """Whether a process or one of its descendants is a Python program.

    True where that cannot be known: the probes that follow Python's stacks are needed then.
    """
    try:
        everyone = (pid, *read_children(pid))
    except (NoSuchProcess, PermissionDenied):
        return True
    for one in everyone[:_ASKED]:
        try:
            if read_python(reader, one) is not None:
                return True
        except (NoSuchProcess, PermissionDenied, Unsupported):
            return True
    return len(everyone) > _ASKED

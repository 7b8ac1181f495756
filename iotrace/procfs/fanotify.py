# SPDX-License-Identifier: Apache-2.0
"""Programs that have to allow each access to files: fanotify(7), /proc/PID/fdinfo (proc(5)).

The kernel alone answers for these files, so that nothing here waits for such a program.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from iotrace.errors import IotraceError, NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.files import PROC, read_file, read_task_file
from iotrace.procfs.stat import read_stat

MOST_LINKS = 50_000
"""Descriptors that are looked at: some microseconds each."""
_LINK = "anon_inode:[fanotify]"
_WAITS_FOR_IT = b"fanotify_"
"""fs/notify/fanotify/fanotify.c: fanotify_handle_event, or what it calls where that is no part
of it."""
_MASK = re.compile(rb"^fanotify .* mask:([0-9a-f]+) ", re.MULTILINE)
_PERMISSION = 0x70000
"""include/uapi/linux/fanotify.h: FAN_OPEN_PERM, FAN_ACCESS_PERM, FAN_OPEN_EXEC_PERM."""


def waits_for_permission(pid: int, tid: int, root: str = PROC) -> bool:
    """Whether a thread waits for such a program just now; False where nothing tells."""
    try:
        return read_task_file(pid, tid, "wchan", root).startswith(_WAITS_FOR_IT)
    except (NoSuchProcess, PermissionDenied, Unsupported):
        return False


def deciders(root: str = PROC) -> tuple[str, ...]:
    """ "902 clamonacc" for each process of the host that was seen to have asked for that."""
    found = []
    left = MOST_LINKS
    for process in sorted(Path(root).iterdir()):
        if not process.name.isdigit():
            continue
        try:
            links = list(islice((process / "fd").iterdir(), left))
            left -= len(links)
            if any(_asks(process, link.name) for link in links if _is_fanotify(link)):
                found.append(f"{process.name} {read_stat(int(process.name), root=root).name}")
        except (OSError, IotraceError, ValueError):
            continue  # ended, another user's, or not to be looked into
    return tuple(found)


def _is_fanotify(link: Path) -> bool:
    try:
        return str(link.readlink()) == _LINK
    except FileNotFoundError:
        return False  # closed


def _asks(process: Path, fd: str) -> bool:
    marks = _MASK.findall(read_file(str(process / "fdinfo" / fd)))
    return any(int(one, 16) & _PERMISSION for one in marks)

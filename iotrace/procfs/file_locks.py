# SPDX-License-Identifier: Apache-2.0
"""``/proc/locks``: who waits for a lock on a file, and who has it: proc_locks(5)."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, replace

from iotrace.errors import IotraceError
from iotrace.procfs.files import PROC, TooLarge, read_file
from iotrace.procfs.process import read_identity

_ENTRY = re.compile(
    rb"^(\d+): +((?:-> )?)(FLOCK|POSIX|OFDLCK) +\S+ +\S+ +(-?\d+) [0-9a-f]+:[0-9a-f]+:(\d+) .*$",
    re.MULTILINE,
)
_KINDS = {b"FLOCK": "flock", b"POSIX": "fcntl", b"OFDLCK": "fcntl"}


@dataclass(frozen=True, slots=True)
class LockWait:
    """A process that waits for a lock on a file. ``kind``: "flock" or "fcntl", the call.

    ``holder``: the process that has it; None: it is not one process (OFDLCK), or belongs to
    another PID namespace. ``holder_name``: its command name, "" where it is not known.
    """

    pid: int
    kind: str
    inode: int
    holder: int | None
    holder_name: str = ""


def parse_locks(data: bytes, pids: Container[int]) -> tuple[LockWait, ...]:
    """The waits of these processes. Lines that are no such locks are skipped."""
    holders: dict[bytes, int] = {}
    found = []
    for number, waits, kind, pid, inode in _ENTRY.findall(data):
        if not waits:
            holders[number] = int(pid)
        elif int(pid) in pids:
            holder = holders.get(number, 0)
            found.append(
                LockWait(int(pid), _KINDS[kind], int(inode), holder if holder > 0 else None)
            )
    return tuple(found)


def read_lock_waits(pids: Container[int], root: str = PROC) -> tuple[LockWait, ...]:
    """The waits of these processes now; () where the kernel does not tell."""
    try:
        found = parse_locks(read_file(f"{root}/locks"), pids)
    except (OSError, TooLarge):
        return ()
    names = {pid: _name(pid, root) for pid in {one.holder for one in found} if pid}
    return tuple(replace(one, holder_name=names.get(one.holder or 0, "")) for one in found)


def _name(pid: int, root: str) -> str:
    try:
        return read_identity(pid, root).name
    except IotraceError:
        return ""

# SPDX-License-Identifier: Apache-2.0
"""``/proc/locks``: who waits for a lock on a file, and who has it: proc_locks(5).

Which file that is the lock's holder tells, or who waits, by /proc/PID/fdinfo: the kernel alone
answers. A lock that is held for microseconds is another one's until somebody looks: the file is
known by its inode, too (since Linux 5.14).
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from iotrace.errors import IotraceError
from iotrace.procfs.files import PROC, TooLarge, read_file
from iotrace.procfs.process import read_identity

_ENTRY = re.compile(
    rb"^(\d+): +((?:-> )?)(FLOCK|POSIX|OFDLCK) +\S+ +\S+ +(-?\d+) [0-9a-f]+:[0-9a-f]+:(\d+) .*$",
    re.MULTILINE,
)
_FILE_OF_FD = re.compile(
    rb"^(?:lock:\s+\d+: .* [0-9a-f]+:[0-9a-f]+:(\d+) .*|ino:\s+(\d+))$", re.MULTILINE
)
MOST_HELD = 64
"""Locks that are looked at, and"""
MOST_DESCRIPTORS = 64
"""descriptors of a holder: what a look costs has an end on hosts with thousands."""
_KINDS = {b"FLOCK": "flock", b"POSIX": "fcntl", b"OFDLCK": "fcntl"}


@dataclass(frozen=True, slots=True)
class LockWait:
    """A process that waits for a lock on a file. ``kind``: "flock" or "fcntl", the call.

    ``holder``: the process that has it; None: it is not one process (OFDLCK), or belongs to
    another PID namespace. ``holder_name``: its command name, and ``path``: of the file, by what the
    waiting process has open; "" where it is not known.
    """

    pid: int
    kind: str
    inode: int
    holder: int | None
    holder_name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock that a process has. ``path``: of the file, "" where it is not known."""

    holder: int
    kind: str
    inode: int
    holder_name: str = ""
    path: str = ""


class HeldLocks:
    """The locks that any process has; what is found out about one is kept while it is held."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], HeldLock] = {}

    def look(self, root: str = PROC) -> dict[int, HeldLock]:
        """By inode, as of now: of the first MOST_HELD that the kernel tells of."""
        try:
            data = read_file(f"{root}/locks")
        except (OSError, TooLarge):
            return {}
        held = parse_held(data)
        self._known = {
            key: self._known.get(key) or _told(one, root)
            for key, one in (((one.holder, one.inode), one) for one in held)
        }
        return {one.inode: one for one in self._known.values()}


def parse_held(data: bytes) -> tuple[HeldLock, ...]:
    """The locks that some process of this PID namespace has, MOST_HELD of them at most."""
    found = (
        HeldLock(int(pid), _KINDS[kind], int(inode))
        for _, waits, kind, pid, inode in _ENTRY.findall(data)
        if not waits and int(pid) > 0
    )
    return tuple(islice(found, MOST_HELD))


def _told(one: HeldLock, root: str) -> HeldLock:
    name = _name(one.holder, root)
    return replace(one, holder_name=name, path=_path(one.holder, one.inode, root))


def _path(pid: int, inode: int, root: str) -> str:
    """That of the process's descriptor on which the kernel shows the lock, or of that file."""
    process = Path(root, str(pid))
    try:
        for info in islice((process / "fdinfo").iterdir(), MOST_DESCRIPTORS):
            files = _FILE_OF_FD.findall(read_file(str(info)))
            if any(int(locked or own) == inode for locked, own in files):
                return str((process / "fd" / info.name).readlink())
    except (OSError, TooLarge):
        pass
    return ""


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
    paths: dict[tuple[int, int | None], str] = {}
    for one in found:  # many may wait for one lock: the first who tells the file does for all
        lock = one.inode, one.holder
        paths[lock] = paths.get(lock) or _path(one.pid, one.inode, root)
    return tuple(
        replace(
            one,
            holder_name=names.get(one.holder or 0, ""),
            path=paths[one.inode, one.holder],
        )
        for one in found
    )


def _name(pid: int, root: str) -> str:
    try:
        return read_identity(pid, root).name
    except IotraceError:
        return ""

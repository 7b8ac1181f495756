# SPDX-License-Identifier: Apache-2.0
"""Who has the other end of a pipe: any process of the host."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from iotrace.errors import IotraceError
from iotrace.procfs.files import PROC
from iotrace.procfs.stat import Stat, read_stat

MOST_LINKS = 50_000
"""Descriptors that are looked at: some microseconds each."""
_OF_THE_HOST = 2, "kthreadd"
"""A process that all see who see those of the whole host, and not those of a container, or none
but their own user's (proc(5), hidepid)."""


@dataclass(frozen=True, slots=True)
class Ends:
    """(pid, parent's pid, name) of each process that was seen to have one end of a pipe.

    ``complete``: all processes of the host that could have it were looked at; else there may be
    others.
    """

    seen: tuple[tuple[int, int, str], ...]
    complete: bool


def writers_of(inode: int, root: str = PROC) -> Ends:
    """Who has it open for writing."""
    return _ends_of(inode, stat.S_IWUSR, root)


def readers_of(inode: int, root: str = PROC) -> Ends:
    """Who has it open for reading."""
    return _ends_of(inode, stat.S_IRUSR, root)


def _ends_of(inode: int, opened: int, root: str) -> Ends:
    """The links in /proc/PID/fd tell, which the kernel alone answers."""
    found: list[Stat] = []
    refused: list[Stat] = []
    left, complete = MOST_LINKS, _sees_the_host(root)
    for process in Path(root).iterdir():
        if not process.name.isdigit():
            continue
        try:
            links = list(islice((process / "fd").iterdir(), left))
            left -= len(links)
            if any(_is_end(link, f"pipe:[{inode}]", opened) for link in links):
                found.append(read_stat(int(process.name), root=root))
        except (ProcessLookupError, FileNotFoundError):
            continue  # ended
        except (OSError, IotraceError, ValueError):  # another user's, or not to be looked into
            try:
                refused.append(read_stat(int(process.name), root=root))
            except (OSError, IotraceError, ValueError):
                complete = False
    return Ends(
        tuple((row.id, row.parent, row.name) for row in found),
        complete and left > 0 and not any(_may_have_it(one, found) for one in refused),
    )


def _may_have_it(one: Stat, found: Sequence[Stat]) -> bool:
    """Who is older than all who have a pipe, and no parent of one of them, has not made it for
    them, and has not inherited it. (It could have been sent it: unix(7), SCM_RIGHTS.)"""
    oldest = min((row.start_ticks for row in found), default=0)
    return one.start_ticks >= oldest or one.id in {row.parent for row in found}


def _sees_the_host(root: str) -> bool:
    pid, name = _OF_THE_HOST
    try:
        return read_stat(pid, root=root).name == name
    except (OSError, IotraceError, ValueError):
        return False


def _is_end(link: Path, target: str, opened: int) -> bool:
    """The link's own mode tells how the descriptor was opened (proc(5))."""
    try:
        return str(link.readlink()) == target and bool(link.lstat().st_mode & opened)
    except FileNotFoundError:
        return False  # closed

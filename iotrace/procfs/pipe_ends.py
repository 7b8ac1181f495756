# SPDX-License-Identifier: Apache-2.0
"""Who has the other end of a pipe: any process of the host."""

from __future__ import annotations

import stat
from functools import lru_cache
from itertools import islice
from pathlib import Path

from iotrace.errors import IotraceError
from iotrace.procfs.files import PROC
from iotrace.procfs.stat import read_stat

MOST_LINKS = 50_000
"""Descriptors that are looked at: some microseconds each."""


@lru_cache(maxsize=64)
def writers_of(inode: int, root: str = PROC) -> tuple[tuple[int, int, str], ...]:
    """(pid, parent's pid, name) of each process that has this pipe open for writing.

    Found once for each pipe: the links in /proc/PID/fd tell, which the kernel alone answers.
    """
    found, left = [], MOST_LINKS
    for process in Path(root).iterdir():
        if not process.name.isdigit():
            continue
        try:
            links = list(islice((process / "fd").iterdir(), left))
            left -= len(links)
            if any(_writes(link, f"pipe:[{inode}]") for link in links):
                row = read_stat(int(process.name), root=root)
                found.append((int(process.name), row.parent, row.name))
        except (OSError, IotraceError, ValueError):
            continue  # ended, or another user's
    return tuple(found)


def _writes(link: Path, target: str) -> bool:
    """The link's own mode tells how the descriptor was opened (proc(5))."""
    try:
        return str(link.readlink()) == target and bool(link.lstat().st_mode & stat.S_IWUSR)
    except OSError:
        return False

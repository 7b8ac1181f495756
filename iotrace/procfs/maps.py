# SPDX-License-Identifier: Apache-2.0
"""``/proc/PID/maps``: proc_pid_maps(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.procfs.files import PROC, read_process_lines, text_of

_FILE_MAPPING = re.compile(
    rb"^([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([r-][w-][x-][ps]) ([0-9a-f]{1,16})"
    rb" [0-9a-f]+:[0-9a-f]+ (\d{1,20}) +(/[^\n]*)$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A part of a file in a process's memory: ``start`` to ``end`` (beyond its last byte).

    ``offset`` is in bytes into the file. ``path`` is as the process sees it, `` (deleted)`` added
    if it is gone.
    """

    start: int
    end: int
    permissions: str
    offset: int
    inode: int
    path: str


def parse_maps(data: bytes) -> tuple[Mapping, ...]:
    """The mapped files, by address. Lines that are no mapping of a file are skipped."""
    # In paths the kernel escapes newlines, and nothing else: fs/proc/task_mmu.c.
    return tuple(
        [
            Mapping(
                start=int(start, 16),
                end=int(end, 16),
                permissions=permissions.decode("ascii"),
                offset=int(offset, 16),
                inode=int(inode),
                path=text_of(path.replace(rb"\012", b"\n")),
            )
            for start, end, permissions, offset, inode, path in _FILE_MAPPING.findall(data)
        ]
    )


def iterate_maps(pid: int, root: str = PROC) -> Iterator[Mapping]:
    """The mapped files of a process, by address, as they are read.

    Raises ``NoSuchProcess``, ``PermissionDenied``, ``TooLarge``.
    """
    for lines in read_process_lines(pid, "maps", root):
        yield from parse_maps(lines)


def read_maps(pid: int, root: str = PROC) -> tuple[Mapping, ...]:
    """All of them. Raises as ``iterate_maps``."""
    return tuple(iterate_maps(pid, root))

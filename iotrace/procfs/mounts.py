# SPDX-License-Identifier: Apache-2.0
"""``/proc/PID/mountinfo``: which file system a path is on (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.procfs.files import PROC, read_process_lines, text_of

_MOST_BYTES = 1 << 20
_MOST_MOUNTS = 4096
_OCTAL = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount. ``kind``: the type of file system; ``source``: a device, server or name."""

    point: str
    kind: str
    source: str

    def __str__(self) -> str:
        source = f" from {self.source}" if self.source not in ("", "none", self.kind) else ""
        return f"{self.kind} at {self.point}{source}"


def parse_mounts(data: bytes) -> tuple[Mount, ...]:
    """In the order of their making. Lines that are no mounts are skipped."""
    found = []
    for line in data.split(b"\n")[:_MOST_MOUNTS]:
        before, separator, after = line.partition(b" - ")
        fields, rest = before.split(b" "), after.split(b" ")
        if separator and len(fields) >= 6 and len(rest) >= 2:
            found.append(Mount(unescaped(fields[4]), unescaped(rest[0]), unescaped(rest[1])))
    return tuple(found)


def read_mounts(pid: int, root: str = PROC) -> tuple[Mount, ...]:
    """What a process has mounted. Raises as ``read_process_lines``."""
    return parse_mounts(b"".join(read_process_lines(pid, "mountinfo", root, _MOST_BYTES)))


def mount_of(path: str, mounts: Sequence[Mount]) -> Mount | None:
    """The mount that a path lies on: the longest that it begins with, the latest of those."""
    if not path:
        return None
    above = [one for one in mounts if f"{path}/".startswith(one.point.rstrip("/") + "/")]
    return max(reversed(above), key=lambda one: len(one.point), default=None)


def unescaped(raw: bytes) -> str:
    r"""A field: the kernel writes blanks and backslashes as \040, \134."""
    return text_of(_OCTAL.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), raw))

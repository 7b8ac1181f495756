# SPDX-License-Identifier: Apache-2.0
"""The control groups that a process is in, by their paths: cgroups(7), ``/proc/PID/cgroup``."""

from __future__ import annotations

import os
import re

from iotrace.procfs.files import PROC, read_process_file, text_of

_LINE = re.compile(rb"^\d+:[^:\n]*:(/[^\n]*)$", re.MULTILINE)
_CONTAINER_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_UNIT_SUFFIXES = (".service", ".scope")


def parse_cgroup_paths(data: bytes) -> tuple[str, ...]:
    """The path in each hierarchy, without repetitions; "/" for a root."""
    return tuple(dict.fromkeys(text_of(path).rstrip("/") or "/" for path in _LINE.findall(data)))


def read_cgroup_paths(pid: int, root: str = PROC) -> tuple[str, ...]:
    """As ``parse_cgroup_paths``. Raises NoSuchProcess, PermissionDenied, Unsupported."""
    return parse_cgroup_paths(read_process_file(pid, "cgroup", root))


def container_id_in(paths: tuple[str, ...]) -> str | None:
    """The id of the innermost container; None: it is in none.

    Docker, Podman, containerd and CRI-O all put these 64 hexadecimal digits into the path.
    """
    found = (match for path in paths for match in _CONTAINER_ID.findall(path)[-1:])
    return next(found, None)


def unit_in(paths: tuple[str, ...]) -> str | None:
    """The innermost systemd service or scope: systemd.unit(5); None: there is none."""
    for path in paths:
        for part in reversed(path.split("/")):
            if part.endswith(_UNIT_SUFFIXES):
                return part
    return None


def group_of(path: str, cgroups: str = "/sys/fs/cgroup") -> str:
    """The group that a path means: of the mounted tree, or as ``/proc/PID/cgroup`` has it."""
    inside = path.rstrip("/").removeprefix(cgroups)
    if inside == path.rstrip("/"):
        return "/" + path.strip("/")
    if not os.path.exists(f"{cgroups}/cgroup.controllers"):  # noqa: PTH110
        # Version 1: each hierarchy is mounted in a directory of its own.
        inside = inside.lstrip("/").partition("/")[2]
    return "/" + inside.strip("/")

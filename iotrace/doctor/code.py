# SPDX-License-Identifier: Apache-2.0
"""Who else can change the code that root runs: such a user becomes root."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

import iotrace
from iotrace.doctor import suggested_commands
from iotrace.doctor.check import Check, degraded, ok

_FEATURE = "code"
_INSTALL = (
    "sudo /usr/bin/python3 -m venv --system-site-packages /opt/iotrace && "
    "sudo /opt/iotrace/bin/pip install ."
)


def check() -> Check:
    """Of Python, iotrace and every directory that modules are imported from."""
    if os.geteuid() != 0:
        return ok(_FEATURE, "runs as this user, not as root")
    places = (sys.executable, sys.prefix, str(Path(iotrace.__file__).parent), *sys.path)
    why = writable_by_others(Path(place) for place in places)
    if why is None:
        return ok(_FEATURE, "Python, iotrace and all that is imported: only root can write to it")
    return degraded(
        _FEATURE,
        f"runs as root, but {why}",
        "protection of root from whoever can write there",
        suggested_commands.everywhere(_INSTALL),
    )


def writable_by_others(paths: Iterable[Path]) -> str | None:
    """Which of these, or of the directories above, others than root may write to, and who.

    Paths that do not exist count by the directories above them. None: no such path.
    """
    seen: set[Path] = set()
    for path in paths:
        for place in (path.absolute(), path.resolve()):
            for part in reversed((place, *place.parents)):
                if part in seen:
                    continue
                seen.add(part)
                if writer := _writer(part):
                    return f"{part} can be written to by {writer}"
    return None


def _writer(path: Path) -> str | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    if status.st_uid:
        return _name(status.st_uid)
    if stat.S_ISLNK(status.st_mode) or (stat.S_ISDIR(status.st_mode) and status.st_mode & 0o1000):
        return None  # who owns what is in a sticky directory is asked of that itself
    if status.st_mode & stat.S_IWOTH:
        return "everybody"
    return f"group {status.st_gid}" if status.st_mode & stat.S_IWGRP and status.st_gid else None


def _name(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"

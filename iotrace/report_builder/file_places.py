# SPDX-License-Identifier: Apache-2.0
"""Where a file is: its path as a reader of the report can use it, and the file system there."""

from __future__ import annotations

from iotrace.procfs.mounts import mount_of
from iotrace.snapshot.facts import ProcessFacts


def full_path(path: str, facts: ProcessFacts | None) -> str:
    """A path that a call was given, with the working directory in front where it is relative.

    That of a call relative to another directory (openat(2)) stays as it is where nothing is known
    of the process only: few programs have such.
    """
    if not path or path.startswith("/") or facts is None or not facts.cwd:
        return path
    return f"{facts.cwd.rstrip('/')}/{path}"


def file_system_of(path: str, facts: ProcessFacts | None) -> str:
    """ "fuse at /mnt/share", "" where it is not known."""
    mount = mount_of(path, facts.mounts) if facts else None
    return str(mount) if mount else ""

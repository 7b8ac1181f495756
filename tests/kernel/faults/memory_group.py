"""A memory cgroup for a program: man cgroups(7), version 1 or 2, whichever counts memory here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import wait_until

_ROOT = Path("/sys/fs/cgroup")


def _place() -> tuple[Path, str]:
    """Where groups can be made that limit memory, and the name of the limit."""
    if (_ROOT / "memory" / "memory.limit_in_bytes").exists():
        return _ROOT / "memory", "memory.limit_in_bytes"
    controllers = _ROOT / "cgroup.subtree_control"
    if controllers.exists():
        controllers.write_text("+memory")
        return _ROOT, "memory.max"
    pytest.skip("no cgroup here counts memory")


@contextmanager
def memory_group(limit_bytes: int) -> Iterator[tuple[str, ...]]:
    """The prefix that runs a program in it."""
    parent, limit = _place()
    group = parent / f"iotrace-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / limit).write_text(str(limit_bytes))
        yield ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"))
    finally:
        # What the program started is killed when it ends, and takes a moment to be gone.
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group to be empty")
        group.rmdir()

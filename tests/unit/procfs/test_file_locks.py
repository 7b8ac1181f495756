"""/proc/locks: who waits for whom."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from iotrace.procfs.file_locks import LockWait, parse_locks, read_lock_waits

_LOCKS = b"""\
1: POSIX  ADVISORY  WRITE 811 fd:00:131 128 128
2: FLOCK  ADVISORY  WRITE 700 fe:00:214 0 EOF
2: -> FLOCK  ADVISORY  WRITE 701 fe:00:214 0 EOF
2:  -> FLOCK  ADVISORY  READ  702 fe:00:214 0 EOF
3: OFDLCK ADVISORY  READ  -1 00:06:99 0 EOF
3: -> POSIX  ADVISORY  WRITE 701 00:06:99 0 EOF
4: LEASE  ACTIVE    WRITE 701 fe:00:215 0 EOF
nonsense
"""


def test_waits_name_the_holder() -> None:
    assert parse_locks(_LOCKS, {701, 702}) == (
        LockWait(701, "flock", 214, 700),
        LockWait(702, "flock", 214, 700),
        LockWait(701, "fcntl", 99, None),
    )
    assert parse_locks(_LOCKS, {700, 811}) == ()


def test_a_kernel_that_does_not_tell(tmp_path: Path) -> None:
    assert read_lock_waits({1}, str(tmp_path)) == ()


def test_a_lock_that_nobody_waits_for_is_no_wait(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert read_lock_waits({os.getpid()}) == ()

"""/proc/locks: who waits for whom."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from iotrace.procfs.file_locks import (
    HeldLock,
    HeldLocks,
    LockWait,
    parse_held,
    parse_locks,
    read_lock_waits,
)
from tests.waiting import wait_until

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


def test_locks_that_are_held_by_a_process_of_this_namespace() -> None:
    assert parse_held(_LOCKS) == (HeldLock(811, "fcntl", 131), HeldLock(700, "flock", 214))


def test_the_holder_tells_which_file_it_is(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    locks = HeldLocks()
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        inode = path.stat().st_ino
        held = locks.look()[inode]
        assert (held.holder, held.kind, held.path) == (os.getpid(), "flock", str(path))
        assert locks.look()[inode] is held
    assert inode not in locks.look()


def test_no_table_of_locks(tmp_path: Path) -> None:
    assert HeldLocks().look(str(tmp_path)) == {}


def test_who_waits_has_the_file_open(tmp_path: Path) -> None:
    """Though nobody has locked it any more when its holder is looked at."""
    path = tmp_path / "lock"
    waits = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX)"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        child = subprocess.Popen([sys.executable, "-c", waits, str(path)])
        try:
            wait_until(lambda: bool(read_lock_waits({child.pid})), "the child to wait")
            (one,) = read_lock_waits({child.pid})
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
            child.wait()
    assert (one.kind, one.holder, one.path) == ("flock", os.getpid(), str(path))

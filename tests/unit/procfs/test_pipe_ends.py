"""Who could write to a pipe: found among all processes, by their descriptors."""

from __future__ import annotations

import os
import subprocess

from iotrace.procfs.pipe_ends import writers_of


def test_a_child_that_has_inherited_the_writing_end() -> None:
    read, write = os.pipe()
    inode = os.fstat(read).st_ino
    child = subprocess.Popen(["sleep", "60"], stdout=write)
    try:
        os.close(write)
        assert writers_of(inode) == ((child.pid, os.getpid(), "sleep"),)
    finally:
        child.kill()
        child.wait()
        os.close(read)


def test_who_only_reads_is_no_writer() -> None:
    read, write = os.pipe()
    os.close(write)
    try:
        assert writers_of(os.fstat(read).st_ino) == ()
    finally:
        os.close(read)

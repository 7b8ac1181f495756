"""The bytes that lie in a pipe of another process are counted, and stay there."""

from __future__ import annotations

import os
import subprocess

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.unread_pipes import read_unread_pipes


def test_what_a_child_has_not_read() -> None:
    child = subprocess.Popen(["sleep", "60"], stdin=subprocess.PIPE)
    with child:
        assert child.stdin is not None
        os.write(child.stdin.fileno(), b"x" * 17)
        assert read_unread_pipes(child.pid, (0, 1, 2, 999))[0] == 17
        child.kill()


def test_a_pipe_of_its_own() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x" * 421)
    assert read_unread_pipes(os.getpid(), (reader, writer, 999)) == {reader: 421, writer: 421}
    assert os.read(reader, 1000) == b"x" * 421
    assert read_unread_pipes(os.getpid(), (reader,)) == {}
    os.close(reader)
    os.close(writer)


def test_a_process_that_is_gone() -> None:
    with pytest.raises(NoSuchProcess):
        read_unread_pipes(2**22 - 1, (0,))

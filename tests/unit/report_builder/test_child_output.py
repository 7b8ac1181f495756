"""Who keeps the output of a child open that an asyncio task reads to its end."""

from __future__ import annotations

import os
from dataclasses import replace

from iotrace.procfs.descriptors import Descriptor
from iotrace.procfs.fdinfo import FdInfo
from iotrace.procfs.pipe_ends import Ends
from iotrace.report.stacks import Frame
from iotrace.report.task_waits import TaskWait, TaskWaits
from iotrace.report_builder.child_output import inherited_by
from iotrace.snapshot.facts import ProcessFacts

S = 1_000_000_000
SERVER, STDIN, OUTPUT, LOCKED = 700, 71, 77, 78
READS = "/usr/lib/python3.11/asyncio/subprocess.py"


def _tasks(longest_ns: int = 3 * S, file: str = READS) -> TaskWaits:
    stack = (Frame("Process._read_stream", file, 175), Frame("execute", "/srv/kernel.py", 14))
    return TaskWaits(9, 5 * S, 1, (TaskWait("_asyncio.Future", 1, 1.0, longest_ns, 1, stack),))


def _facts(*pipes: tuple[int, int, int]) -> ProcessFacts:
    """Descriptor, inode and flags of pipes that it reads."""
    rows = {
        fd: Descriptor(fd, "pipe", f"pipe:[{inode}]", inode, FdInfo(0, flags))
        for fd, inode, flags in pipes
    }
    return ProcessFacts(SERVER, 1, "python3", (), None, None, rows)


def _found(tasks: TaskWaits, *writers: tuple[int, int, str]) -> tuple[str, ...]:
    """Who writes to the output; a supervisor writes to the other pipes."""

    def writers_of(inode: int) -> Ends:
        return Ends(writers if inode == OUTPUT else ((1, 0, "init"),), complete=True)

    nonblocking = os.O_RDONLY | os.O_NONBLOCK
    pipes = (0, STDIN, nonblocking), (9, OUTPUT, nonblocking), (11, LOCKED, os.O_RDONLY)
    return inherited_by(tasks, _facts(*pipes), writers_of)


def test_a_daemon_that_has_inherited_the_output_is_named() -> None:
    assert _found(_tasks(), (902, 1, "tail")) == ("902 tail",)


def test_a_child_that_runs_still_writes_to_it() -> None:
    assert _found(_tasks(), (901, SERVER, "make"), (903, 901, "cc")) == ()
    assert _found(_tasks(), (SERVER, 1, "python3")) == ()


def test_nobody_is_looked_for_where_no_task_waits_long_for_output() -> None:
    assert _found(_tasks(S), (902, 1, "tail")) == ()
    assert _found(_tasks(file="/srv/subprocess.py"), (902, 1, "tail")) == ()
    assert inherited_by(replace(_tasks(), rows=()), _facts(), lambda _: Ends((), True)) == ()
    assert inherited_by(_tasks(), None, lambda _: Ends((), True)) == ()

# SPDX-License-Identifier: Apache-2.0
"""Who keeps the output of ended children open, which asyncio tasks read to its end."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from iotrace.procfs.descriptors import Descriptor
from iotrace.procfs.pipe_ends import Ends
from iotrace.report.task_waits import TaskWaits
from iotrace.snapshot.facts import ProcessFacts, is_pipe

_LONG_NS = 2_000_000_000
"""A wait from here on is worth a look at all processes of the host."""
_MOST_PIPES = 8
_STDERR = 2
_READS_CHILD = re.compile(r"/asyncio/subprocess\.py$")


def inherited_by(
    tasks: TaskWaits, facts: ProcessFacts | None, writers_of: Callable[[int], Ends]
) -> tuple[str, ...]:
    """ "902 tail" for each process that could write to a pipe which this one reads, while tasks
    have long been waiting for the end of a child's output: no child of it that runs can."""
    if facts is None or not any(
        one.longest_ns >= _LONG_NS and any(_READS_CHILD.search(frame.file) for frame in one.stack)
        for one in tasks.rows
    ):
        return ()
    pipes = [
        one.inode
        for one in facts.descriptors.values()
        if one.fd > _STDERR and _is_read_by_loop(one) and one.inode is not None
    ]
    found: dict[str, None] = {}
    for inode in pipes[:_MOST_PIPES]:
        seen = writers_of(inode).seen
        if not any(facts.pid in (pid, parent) for pid, parent, _ in seen):
            found.update((f"{pid} {name}", None) for pid, _, name in seen)
    return tuple(found)


def _is_read_by_loop(one: Descriptor) -> bool:
    """What it has inherited from those that started it is most often read in blocking calls."""
    return is_pipe(one, os.O_RDONLY) and bool(one.info and one.info.flags & os.O_NONBLOCK)

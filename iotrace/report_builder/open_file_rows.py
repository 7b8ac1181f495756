# SPDX-License-Identifier: Apache-2.0
"""What a process's open files tell: file locks that it waits for, pipes that nobody reads."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from iotrace.procfs.descriptors import Descriptor
from iotrace.report.model import FileLockWait, UnreadPipe
from iotrace.snapshot.facts import ProcessFacts, is_pipe
from iotrace.snapshot.totals import DescriptorKey, DescriptorTotals
from iotrace.vocabulary.kinds import PIPE, SOCKETS

Rows: TypeAlias = "Iterable[tuple[DescriptorKey, DescriptorTotals]]"
"""The descriptors of one process."""


def lock_wait_rows(
    pid: int, facts: ProcessFacts | None, descriptors: Rows
) -> tuple[FileLockWait, ...]:
    """Those who wait, and those who were refused a lock that another has now, or have waited for a
    file that another has locked now: for that lock, if it was no disk."""
    if facts is None:
        return ()
    files = [
        (fd, totals)
        for (_, fd, kind), totals in descriptors
        if kind not in SOCKETS and totals.inode
    ]
    paths = {
        totals.inode: facts.descriptors[fd].target
        for fd, totals in files
        if fd in facts.descriptors
    }
    waits = [
        FileLockWait(
            one.kind,
            paths.get(one.inode) or one.path or _path_of(facts, one.inode),
            one.holder,
            one.holder_name,
        )
        for one in facts.lock_waits
    ]
    refused = {totals.inode for _, totals in files if totals.eagain or totals.wait_ns}
    refused -= {one.inode for one in facts.lock_waits}
    waits += [
        FileLockWait(one.kind, one.path, one.holder, one.holder_name)
        for inode, one in facts.held_locks.items()
        if inode in refused and one.holder != pid
    ]
    return tuple(waits)


def _path_of(facts: ProcessFacts, inode: int) -> str:
    return facts.held_locks[inode].path if inode in facts.held_locks else ""


def unread_pipe_rows(
    facts: ProcessFacts | None, descriptors: Rows, everyone: Mapping[int, ProcessFacts]
) -> tuple[UnreadPipe, ...]:
    if facts is None:
        return ()
    reads = pipe_calls(descriptors)
    return tuple(
        UnreadPipe(
            fd=fd,
            pipe=facts.descriptors[fd].target,
            unread_bytes=unread,
            reads=reads[fd],
            others=_readers(facts, facts.descriptors[fd], everyone),
        )
        for fd, unread in facts.unread.items()
        if fd in facts.descriptors
    )


def pipe_calls(descriptors: Rows) -> Counter[int]:
    """Calls by number, of all threads; those of what else had the number are not counted."""
    calls = Counter[int]()
    for (_, fd, kind), one in descriptors:
        calls[fd] += one.calls if kind == PIPE else 0
    return calls


def _readers(
    facts: ProcessFacts, pipe: Descriptor, everyone: Mapping[int, ProcessFacts]
) -> tuple[int, ...]:
    """Other living processes than its parent that have this pipe open to read it."""
    return tuple(
        sorted(
            pid
            for pid, other in everyone.items()
            if pid not in (facts.pid, facts.parent)
            and any(
                one.inode == pipe.inode and is_pipe(one, os.O_RDONLY)
                for one in other.descriptors.values()
            )
        )
    )

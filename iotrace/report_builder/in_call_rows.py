# SPDX-License-Identifier: Apache-2.0
"""The calls that threads were in at the end: since when, on what, for whom."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from iotrace.procfs.pipe_ends import Ends
from iotrace.report.stacks import Frame, InCall
from iotrace.report_builder.file_places import file_system_of, full_path
from iotrace.report_builder.host_looks import HostLooks
from iotrace.report_builder.stack_rows import Stacks, named_stack, own_place
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.totals import Waiting
from iotrace.vocabulary.calls import FAMILIES, FILE_CALLS, LOCKS, READS, WRITES
from iotrace.vocabulary.kinds import FILES, PIPE

_TERMINALS = "/dev/pts/"
_LONG_NS = 2_000_000_000
"""A wait from here on is worth a look at all processes of the host."""
_ASKED_NS = 10_000_000
"""A wait for a full pipe from here on is worth a look at who reads it, among all processes."""
_PERMITTED_NS = 1_000_000
"""A wait for a file from here on is worth a look at where in the kernel its thread sleeps."""
_FD_BITS = 0xFFFFFFFF
"""struct pollfd: a descriptor, and the events (poll(2))."""


def in_call_row(
    one: Waiting,
    syscall: str,
    from_ns: int,
    facts: Mapping[int, ProcessFacts],
    stacks: Stacks,
    host: HostLooks,
) -> InCall:
    """One row. Descriptors are as /proc had them at the last look."""
    mine = facts.get(one.thread.pid)
    stack = named_stack(stacks.get(one.stack, ()))
    first = _polled(one, syscall)
    fd = one.fd if one.fd >= 0 else first if _polls_one(one) else None
    row = InCall(
        syscall=syscall,
        kind=one.kind,
        fd=fd,
        peer="",
        since_ns=max(0, one.entry_ns - from_ns),
        wait_ns=one.wait_ns,
        object=f"{one.sleeper.address:x}" if one.sleeper and syscall in LOCKS else "",
        lock=one.sleeper.lock if one.sleeper and syscall in LOCKS else "",
        own=own_place(stack),
        stack=stack,
        timed=_is_timed(one, syscall),
    )
    path = full_path(one.sleeper.path, mine) if one.sleeper else ""
    if path:
        row = replace(row, peer=path, file_system=file_system_of(path, mine))
    elif fd is not None:
        row = _with_descriptor(row, fd, mine, facts)
    if mine is None or one.wait_ns < _PERMITTED_NS:
        return row
    if _is_on_file(row) and host.waits_for_permission(mine.pid, one.thread.tid):
        row = replace(row, allowed_by=host.deciders())
    if row.kind == PIPE and syscall in WRITES and one.wait_ns >= _ASKED_NS:
        row = replace(row, read_by=_readers(row, mine, host.readers_of))
    if one.wait_ns >= _LONG_NS and row.others == (mine.pid,):
        row = replace(row, alone=_reads_alone(row, mine, host.writers_of))
    if first is not None and one.wait_ns >= _LONG_NS and any(map(_reads_its_child, stack)):
        return _with_writers(row, first, mine, host.writers_of)
    return row


def _is_on_file(row: InCall) -> bool:
    return row.syscall in FILE_CALLS or row.kind in FILES


def _is_timed(one: Waiting, syscall: str) -> bool | None:
    """By the fourth argument of futex(2), the time-out; of a thread whose stack was read."""
    if one.sleeper is None or syscall != "futex":
        return None
    return bool(one.sleeper.fourth)


def _polled(one: Waiting, syscall: str) -> int | None:
    """The descriptor of a poll of one alone; the first one, of several."""
    if one.sleeper is None or FAMILIES.get(syscall) != "poll" or not one.sleeper.second:
        return None
    fd = one.sleeper.word & _FD_BITS
    return fd if one.sleeper.word and not fd >> 31 else None


def _polls_one(one: Waiting) -> bool:
    return one.sleeper is not None and one.sleeper.second == 1


def _reads_its_child(frame: Frame) -> bool:
    return frame.file.endswith("/subprocess.py") and frame.plain_function == "_communicate"


def _with_writers(
    row: InCall, fd: int, mine: ProcessFacts, writers_of: Callable[[int], Ends]
) -> InCall:
    """Of a poll for a child's output: who else could write to that pipe."""
    now = mine.descriptors.get(fd)
    if now is None or now.kind != PIPE or now.inode is None:
        return row
    others = tuple(
        f"{pid} {name}"
        for pid, parent, name in writers_of(now.inode).seen
        if mine.pid not in (pid, parent)
    )
    return replace(row, kind=now.kind, peer=now.target, inherited_by=others)


def _readers(row: InCall, mine: ProcessFacts, readers_of: Callable[[int], Ends]) -> tuple[str, ...]:
    now = mine.descriptors.get(row.fd) if row.fd is not None else None
    if now is None or now.kind != PIPE or now.inode is None:
        return ()
    return tuple(f"{pid} {name}" for pid, _, name in readers_of(now.inode).seen if pid != mine.pid)


def _reads_alone(row: InCall, mine: ProcessFacts, writers_of: Callable[[int], Ends]) -> bool:
    """Whether it is known to read from a pipe that nobody else could write to: others may not be
    traced, or not to be looked into."""
    now = mine.descriptors[row.fd] if row.fd is not None else None
    if now is None or now.kind != PIPE or now.inode is None or row.syscall not in READS:
        return False
    writers = writers_of(now.inode)
    return writers.complete and {pid for pid, _, _ in writers.seen} == {mine.pid}


def _with_descriptor(
    row: InCall, fd: int, mine: ProcessFacts | None, facts: Mapping[int, ProcessFacts]
) -> InCall:
    now = mine.descriptors.get(fd) if mine else None
    if mine is None or now is None:
        return row
    socket = (mine.sockets or {}).get(now.inode) if now.inode is not None else None
    if socket is not None:
        return replace(row, kind=socket.kind, peer=socket.peer)
    others: tuple[int, ...] = ()
    if now.kind == PIPE:
        others = _other_ends(fd, mine, facts)
    elif now.target.startswith(_TERMINALS):
        others = _masters(facts)
    kind = now.kind if row.syscall in FAMILIES else row.kind
    return replace(row, kind=kind, peer=now.target, others=others)


def _masters(facts: Mapping[int, ProcessFacts]) -> tuple[int, ...]:
    """The processes that have made terminals for others (pts(4))."""
    return tuple(
        sorted(
            pid
            for pid, other in facts.items()
            if any(one.target.endswith("/ptmx") for one in other.descriptors.values())
        )
    )


def _other_ends(fd: int, mine: ProcessFacts, facts: Mapping[int, ProcessFacts]) -> tuple[int, ...]:
    """The processes that have the same pipe open in the other direction."""
    now = mine.descriptors[fd]
    if now.inode is None or now.info is None:
        return ()
    direction = now.info.flags & os.O_ACCMODE
    return tuple(
        sorted(
            pid
            for pid, other in facts.items()
            if any(
                one.inode == now.inode
                and one.kind == PIPE
                and one.info is not None
                and one.info.flags & os.O_ACCMODE != direction
                for one in other.descriptors.values()
            )
        )
    )

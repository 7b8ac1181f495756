# SPDX-License-Identifier: Apache-2.0
"""The calls that threads were in at the end: since when, on what, for whom."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from iotrace.report.stacks import InCall
from iotrace.report_builder.stack_rows import Stacks, named_stack, own_place
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.totals import Waiting
from iotrace.vocabulary.calls import FAMILIES, LOCKS
from iotrace.vocabulary.kinds import PIPE

_FD_BITS = 0xFFFFFFFF
"""struct pollfd: a descriptor, and the events (poll(2))."""


def in_call_row(
    one: Waiting,
    syscall: str,
    from_ns: int,
    facts: Mapping[int, ProcessFacts],
    stacks: Stacks,
) -> InCall:
    """One row. Descriptors are as /proc had them at the last look."""
    mine = facts.get(one.thread.pid)
    stack = named_stack(stacks.get(one.stack, ()))
    fd = one.fd if one.fd >= 0 else _polled(one, syscall)
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
    )
    return row if fd is None else _with_descriptor(row, fd, mine, facts)


def _polled(one: Waiting, syscall: str) -> int | None:
    """The descriptor of a poll of one alone."""
    if one.sleeper is None or FAMILIES.get(syscall) != "poll" or one.sleeper.second != 1:
        return None
    fd = one.sleeper.word & _FD_BITS
    return fd if one.sleeper.word and not fd >> 31 else None


def _with_descriptor(
    row: InCall, fd: int, mine: ProcessFacts | None, facts: Mapping[int, ProcessFacts]
) -> InCall:
    now = mine.descriptors.get(fd) if mine else None
    if mine is None or now is None:
        return row
    socket = (mine.sockets or {}).get(now.inode) if now.inode is not None else None
    if socket is not None:
        return replace(row, kind=socket.kind, peer=socket.peer)
    others = _other_ends(fd, mine, facts) if now.kind == PIPE else ()
    kind = now.kind if row.syscall in FAMILIES else row.kind
    return replace(row, kind=kind, peer=now.target, others=others)


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

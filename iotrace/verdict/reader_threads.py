# SPDX-License-Identifier: Apache-2.0
"""Clients whose answers are read by a thread of their own (SSH: paramiko): who asks sleeps for a
condition of the library, and only that other thread's call tells whose answer does not come."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import entry_of, library_frames, named, package_of, short_name
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, asks
from iotrace.verdict.stuck import Stuck, target_text, whereabouts
from iotrace.vocabulary.calls import FAMILIES, LOCKS, READS
from iotrace.vocabulary.kinds import SOCKETS

_CONDITION = re.compile(r"/threading\.py:(?:wait|wait_for)$")
_READ = frozenset((*READS, *FAMILIES))
_STREAMS = re.compile(r"^_?(?:read|recv(?!_exit)|accept|iter|next|join|run|stop|close)")
"""Functions that take what comes when it comes: a log that is followed, an agent, a shell."""


def reader_for(one: Stuck, profile: ProcessProfile) -> Stuck | None:
    """The thread of the client's library that reads the connection over which the answer would
    come; None: it waits for something else, or for what may come when it likes."""
    if one.purpose is not Purpose.WORK or not one.own:
        return None
    if one.call.syscall not in LOCKS or one.call.timed is not False:
        return None
    client = _client(one.call.stack)
    if client is None or _STREAMS.search(short_name(client)) or not asks(one.call.stack):
        return None
    readers = (
        other
        for other in whereabouts(profile)
        if other.tid != one.tid and _reads_for(other, package_of(client))
    )
    return next((other for other in readers if _brings_nothing(other, profile)), None)


def _client(stack: Sequence[Frame]) -> Frame | None:
    """The library's function that the program has called, where it waits for a condition."""
    library = library_frames(stack)
    if not library or not _CONDITION.search(named(library[0])) or not package_of(library[-1]):
        return None
    return library[-1]


def _reads_for(other: Stuck, package: str) -> bool:
    entry = entry_of(other.call.stack)
    if entry is None or package_of(entry) != package or other.call.syscall not in _READ:
        return False
    return other.call.kind in SOCKETS or (not other.call.kind and other.call.fd is not None)


def _brings_nothing(reader: Stuck, profile: ProcessProfile) -> bool:
    """Else the other side is at work: it prints, or answers somebody else."""
    kinds = (reader.call.kind,) if reader.call.kind else SOCKETS
    rows = [one for one in profile.process.descriptors if one.fd == reader.call.fd]
    return all(one.bytes_in == 0 for one in rows if one.kind in kinds)


def reader_text(one: Stuck, reader: Stuck) -> str:
    """What it waits for, after its name and "hangs"."""
    client = _client(one.call.stack)
    assert client is not None
    peer = target_text(reader.call)
    return (
        f"in {client.function} of {package_of(client)} ({client.file.rsplit('/', 1)[-1]}): what it "
        f"waits for would come over the connection{f' to {peer}' if peer else ''}, which thread "
        f"{reader.tid} reads, and nothing comes"
    )


BY_READER = (
    "The other side has not answered; it may wait itself. SSH: a command that prints more than the "
    "channel's window holds (paramiko: 2 MB) stops until somebody reads that, so read stdout and "
    "stderr (at once: set_combine_stderr, or a thread for each) before recv_exit_status(). Else "
    "look at what the command does there, and wait with a timeout (exec_command(timeout=...), "
    "channel.settimeout, status_event.wait(seconds))."
)

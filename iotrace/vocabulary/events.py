# SPDX-License-Identifier: Apache-2.0
"""The single events of a timeline.

The order is the number of an event, which recordings store: new ones are appended.
"""

from __future__ import annotations

from enum import IntEnum


class EventKind(IntEnum):
    """What happened to a thread or a socket (event.kind of the timeline)."""

    ENTER = 1
    """A system call begins; value: bytes asked for, 0 where it has no such argument."""
    EXIT = 2
    """It returns; value: what it returns."""
    SLEEP = 3
    """The thread leaves the CPU to wait; value: index of the reason in WAIT_REASONS."""
    WAKE = 4
    RUN = 5
    """The thread is given a CPU."""
    PREEMPT = 6
    """The thread leaves the CPU though it is ready to go on."""
    COPY = 7
    """The kernel begins to copy received data to the caller."""
    READY = 8
    """Data has arrived on a socket; value: its inode. Belongs to no thread: tid and pid are 0."""
    SIGNAL = 9
    """A signal is delivered; value: its number."""
    SUBMIT = 10
    """An io_uring operation is submitted; value: its opcode."""
    COMPLETE = 11
    """It is complete; value: its result. Belongs to no thread: tid is 0."""
    EXCHANGE_QUEUED = 12
    """A connection is accepted on which a request lies; value: for how long, in ns.

    Events of exchanges and calls upstream have a TCP port for the number of a call: the
    listener's, or the peer's; 0: it is a unix socket.
    """
    EXCHANGE_READ = 13
    """The first read of a request ends; value: ns since it arrived, or was accepted after that."""
    EXCHANGE_ANSWERED = 14
    """The first write of an answer ends; value: ns from the end of that read to its call."""
    UPSTREAM_ANSWERED = 15
    """An answer from upstream is read; value: ns from the query's last write to its arrival."""
    UPSTREAM_READ = 16
    """The same moment; value: ns from the arrival."""

# SPDX-License-Identifier: Apache-2.0
"""What a descriptor is, and what else tells calls of one name apart.

The order is the number of a kind in the probes' records, which nothing keeps.
"""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """What a descriptor is (descriptor.kind, call.kind); ``label`` is the word in reports."""

    NONE = 0
    TCP = 1
    UDP = 2
    UNIX = 3
    NETLINK = 4
    SOCKET = 5
    """A socket of any other family."""
    PIPE = 6
    FILE = 7
    DIR = 8
    EVENTFD = 9
    EPOLL = 10
    TIMERFD = 11
    SIGNALFD = 12
    INOTIFY = 13
    PIDFD = 14
    IO_URING = 15
    TTY = 16
    CHAR = 17
    BLOCK = 18
    ANON = 19
    NO_FDS = 20
    """A multiplexer that was given no descriptor: a sleep."""
    SHORT_TIMEOUT = 21
    """A lock wait that gives up within SHORT_TIMEOUT_NS: so threads ask for Python's GIL."""
    LEVEL = 22
    """epoll_ctl that asks for level-triggered events."""
    EDGE = 23
    """epoll_ctl that asks for edge-triggered events."""
    GIL = 24
    """A lock wait on the very address of a Python interpreter's GIL."""
    STOP_THE_WORLD = 25
    """A lock wait of a free-threaded Python: a thread that stops all others, or is stopped."""

    @property
    def label(self) -> str:
        """The word in reports: "tcp", "eventfd", ..., "" for none."""
        return "" if self is Kind.NONE else _WORDS.get(self, self.name.lower())


_WORDS = {
    Kind.NO_FDS: "no fds",
    Kind.SHORT_TIMEOUT: "short timeout",
    Kind.STOP_THE_WORLD: "stop the world",
}
LABELS: dict[int, str] = {kind.value: kind.label for kind in Kind}
"""Labels by number: to make a Kind of each takes longer than to decode its record."""

FIFO, MEMFD, PTY = "fifo", "memfd", "pty"
"""Words of descriptors that /proc tells apart and the probes do not."""
PROBES_KINDS = {FIFO: Kind.PIPE, MEMFD: Kind.FILE, PTY: Kind.TTY}
"""What these are to the probes."""


def kind_of_calls(kind: str) -> str:
    """The word that calls have for a descriptor's kind: "pipe" for "fifo"."""
    return PROBES_KINDS[kind].label if kind in PROBES_KINDS else kind


SOCKET_KINDS = range(Kind.TCP, Kind.SOCKET + 1)
FILE_KINDS = (Kind.FILE, Kind.DIR, Kind.BLOCK)
"""A wait for one of these is a wait for a file."""

FILES = frozenset(Kind(number).label for number in FILE_KINDS)
SOCKETS = frozenset(Kind(number).label for number in SOCKET_KINDS)
STREAMS = frozenset((Kind.TCP.label, Kind.UNIX.label))
"""Sockets that servers accept connections on."""
PIPE = Kind.PIPE.label
PIPES = frozenset((PIPE, FIFO))
PIPES_AND_TERMINALS = frozenset((PIPE, FIFO, Kind.TTY.label, PTY))
NO_FDS = Kind.NO_FDS.label
"""Of a multiplexer's call that was given no descriptor: a sleep."""
GIL_KINDS = (Kind.GIL.label, Kind.SHORT_TIMEOUT.label)
"""Of a futex: surely Python's GIL; a wait as for a GIL, where its address is not known."""
INTERPRETER_KINDS = (*GIL_KINDS, Kind.STOP_THE_WORLD.label)
"""Of a futex: waits for the interpreter, not for a lock of the program."""
LEVEL, EDGE = Kind.LEVEL.label, Kind.EDGE.label
"""Of an epoll_ctl, and of an event loop: how its epoll reports readiness."""

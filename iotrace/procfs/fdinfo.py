# SPDX-License-Identifier: Apache-2.0
"""``/proc/PID/fdinfo/FD``: proc_pid_fdinfo(5)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

# include/uapi/linux/eventpoll.h
_EPOLLEXCLUSIVE = 1 << 28
_EPOLLONESHOT = 1 << 30
_EPOLLET = 1 << 31
_PRIVATE_BITS = 0xF0000000

_HEAD = re.compile(rb"pos:\t(-?\d{1,20})\nflags:\t0([0-7]{1,11})\n")
_WATCH = re.compile(
    rb"^tfd: +(\d{1,10}) events: +([0-9a-f]{1,8}) data: +[0-9a-f]{1,16}"
    rb"(?: +pos:-?\d+ ino:([0-9a-f]{1,16}) sdev:[0-9a-f]+)?$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class FdInfo:
    """File position in bytes and open(2) flags."""

    position: int
    flags: int

    @property
    def nonblocking(self) -> bool:
        """O_NONBLOCK."""
        return bool(self.flags & os.O_NONBLOCK)

    @property
    def signal_driven(self) -> bool:
        """O_ASYNC: a signal tells its owner that it is ready."""
        return bool(self.flags & os.O_ASYNC)


@dataclass(frozen=True, slots=True)
class Watch:
    """One entry of an epoll interest list: epoll_ctl(2).

    ``inode`` is that of the watched file: if descriptor ``fd`` has another one by now, it was
    closed and its number used again (None: this kernel doesn't tell).
    """

    fd: int
    events: int
    inode: int | None

    @property
    def edge_triggered(self) -> bool:
        """EPOLLET."""
        return bool(self.events & _EPOLLET)

    @property
    def oneshot(self) -> bool:
        """EPOLLONESHOT."""
        return bool(self.events & _EPOLLONESHOT)

    @property
    def exclusive(self) -> bool:
        """EPOLLEXCLUSIVE: an event wakes one of the waiting threads, not all."""
        return bool(self.events & _EPOLLEXCLUSIVE)

    @property
    def armed(self) -> bool:
        """False for a oneshot entry that has fired: the kernel has cleared its events."""
        return bool(self.events & ~_PRIVATE_BITS)


def parse_fdinfo(data: bytes) -> FdInfo:
    """The two lines that every descriptor has. Raises ``ValueError`` for anything else."""
    match = _HEAD.match(data)
    if match is None:
        raise ValueError("not an fdinfo file of /proc")
    return FdInfo(int(match[1]), int(match[2], 8))


def parse_watches(data: bytes) -> tuple[Watch, ...]:
    """What an epoll descriptor watches. Lines that are no entries are skipped."""
    return tuple(
        [
            Watch(int(fd), int(events, 16), int(inode, 16) if inode else None)
            for fd, events, inode in _WATCH.findall(data)
        ]
    )

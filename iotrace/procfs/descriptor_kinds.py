# SPDX-License-Identifier: Apache-2.0
"""What a descriptor is: one word, the same in every table of a report."""

from __future__ import annotations

import os
import stat

from iotrace.vocabulary.kinds import FIFO, MEMFD, PTY, Kind

_ANONYMOUS_INODES = {
    "[eventpoll]": Kind.EPOLL,
    "[eventfd]": Kind.EVENTFD,
    "[timerfd]": Kind.TIMERFD,
    "[signalfd]": Kind.SIGNALFD,
    "inotify": Kind.INOTIFY,
    "[pidfd]": Kind.PIDFD,
    "[io_uring]": Kind.IO_URING,
}
# By the names in `struct proto` of the kernel's protocols; see sock_protocol_kind.
_PROTOCOLS = {
    "TCP": Kind.TCP,
    "TCPv6": Kind.TCP,
    "MPTCP": Kind.TCP,
    "MPTCPv6": Kind.TCP,
    "UDP": Kind.UDP,
    "UDPv6": Kind.UDP,
    "UNIX": Kind.UNIX,
    "UNIX-STREAM": Kind.UNIX,
    "NETLINK": Kind.NETLINK,
}
# Major numbers, and ptmx: Documentation/admin-guide/devices.txt.
_PSEUDO_TERMINALS = range(128, 144)
_TERMINALS = frozenset({4, 5, 166, 188, 204, 229})
_PTMX = os.makedev(5, 2)


def kind_of_link(target: str) -> str | None:
    """Kind by the text of ``/proc/PID/fd/FD``; None for a path, whose kind its mode tells.

    "socket" is what the text says of every socket: ``kind_of_protocol`` says which.
    """
    # Only a path of a real file can hold text that someone chose, and it begins with a slash.
    if target.startswith("/"):
        return MEMFD if target.startswith("/memfd:") else None
    if target.startswith("socket:"):
        return Kind.SOCKET.label
    if target.startswith("pipe:"):
        return Kind.PIPE.label
    if target.startswith("pidfd:"):  # from Linux 6.9 on, on a file system of their own
        return Kind.PIDFD.label
    return _ANONYMOUS_INODES.get(target.removeprefix("anon_inode:"), Kind.ANON).label


def kind_of_protocol(name: str) -> str:
    """Kind of a socket by the name of its protocol (xattr ``system.sockprotoname``)."""
    return _PROTOCOLS.get(name, Kind.SOCKET).label


def kind_of_mode(mode: int, device: int) -> str:
    """Kind of what has a path, by ``st_mode`` and ``st_rdev`` of stat(2)."""
    if stat.S_ISREG(mode):
        return Kind.FILE.label
    if stat.S_ISDIR(mode):
        return Kind.DIR.label
    if stat.S_ISFIFO(mode):
        return FIFO
    if stat.S_ISBLK(mode):
        return Kind.BLOCK.label
    if stat.S_ISCHR(mode):
        return _kind_of_character_device(device)
    return (Kind.SOCKET if stat.S_ISSOCK(mode) else Kind.ANON).label


def _kind_of_character_device(device: int) -> str:
    if device == _PTMX or os.major(device) in _PSEUDO_TERMINALS:
        return PTY
    return (Kind.TTY if os.major(device) in _TERMINALS else Kind.CHAR).label

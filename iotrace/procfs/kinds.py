"""What a descriptor is: one word, the same in every table of a report."""

from __future__ import annotations

import os
import stat

_ANONYMOUS_INODES = {
    "[eventpoll]": "epoll",
    "[eventfd]": "eventfd",
    "[timerfd]": "timerfd",
    "[signalfd]": "signalfd",
    "inotify": "inotify",
    "[pidfd]": "pidfd",
    "[io_uring]": "io_uring",
}
# By the names in `struct proto` of the kernel's protocols; see sock_protocol_kind.
_PROTOCOLS = {
    "TCP": "tcp",
    "TCPv6": "tcp",
    "MPTCP": "tcp",
    "MPTCPv6": "tcp",
    "UDP": "udp",
    "UDPv6": "udp",
    "UNIX": "unix",
    "UNIX-STREAM": "unix",
    "NETLINK": "netlink",
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
        return "memfd" if target.startswith("/memfd:") else None
    if target.startswith("socket:"):
        return "socket"
    if target.startswith("pipe:"):
        return "pipe"
    if target.startswith("pidfd:"):  # from Linux 6.9 on, on a file system of their own
        return "pidfd"
    return _ANONYMOUS_INODES.get(target.removeprefix("anon_inode:"), "anon")


def kind_of_protocol(name: str) -> str:
    """Kind of a socket by the name of its protocol (xattr ``system.sockprotoname``)."""
    return _PROTOCOLS.get(name, "socket")


def kind_of_mode(mode: int, device: int) -> str:
    """Kind of what has a path, by ``st_mode`` and ``st_rdev`` of stat(2)."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "dir"
    if stat.S_ISFIFO(mode):
        return "fifo"
    if stat.S_ISBLK(mode):
        return "block"
    if stat.S_ISCHR(mode):
        return _kind_of_character_device(device)
    return "socket" if stat.S_ISSOCK(mode) else "anon"


def _kind_of_character_device(device: int) -> str:
    if device == _PTMX or os.major(device) in _PSEUDO_TERMINALS:
        return "pty"
    return "tty" if os.major(device) in _TERMINALS else "char"

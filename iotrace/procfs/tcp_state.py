# SPDX-License-Identifier: Apache-2.0
"""What the kernel keeps of a TCP connection or listener of another process: tcp(7).

Its text tables lack most of it. pidfd_getfd(2) gives a descriptor of the same socket, in whatever
network namespace it is, for as long as getsockopt(2) takes; nothing of the socket is changed.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from iotrace.procfs.files import PROC, ProcessErrors, is_absent

_PIDFD_GETFD = 438  # the same number on every architecture: kernel commit 8649c322f75c, 5.6
_TCP_INFO, _SO_MEMINFO = 11, 55
_INFO_BYTES, _MEMINFO_BYTES = 256, 64
_STATE_LISTEN = 10
_US = 1_000

# struct tcp_info, include/uapi/linux/tcp.h; later kernels append members.
_MAX_PENDING, _RETRANSMITS, _WINDOW_CLOSED, _NEEDLESS = (
    struct.Struct("=28xI"),
    struct.Struct("=100xI"),
    struct.Struct("=176xQ"),
    struct.Struct("=216xI"),
)
_DROPS = struct.Struct("=32xI")
"""SK_MEMINFO_DROPS, include/uapi/linux/sock_diag.h."""

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class TcpState:
    """One socket. Counters are since it was made.

    ``nodelay``: TCP_NODELAY. ``retransmits``: segments that were sent again, but for those that the
    peer then said it had already (RFC 2883, D-SACK): a late acknowledgement is no loss.
    ``window_closed_ns``: time in which there was data to send and no room in the peer's receive
    window.
    ``max_pending``: of a listener, how many connections may wait to be accepted; None: it is none.
    ``dropped``: of a listener, connections (SYNs) that found no room.
    """

    fd: int
    nodelay: bool
    retransmits: int
    window_closed_ns: int
    max_pending: int | None
    dropped: int


def read_tcp_states(pid: int, fds: Iterable[int], root: str = PROC) -> list[TcpState]:
    """Those of these descriptors that are TCP sockets; none where the kernel does not give them.

    Raises as ``ProcessErrors`` says.
    """
    if is_absent("pidfd_getfd") or not hasattr(os, "pidfd_open"):
        return []
    with ProcessErrors(pid, root):
        process = os.pidfd_open(pid)
    try:
        found = [_read(process, fd) for fd in fds]
    finally:
        os.close(process)
    return [one for one in found if one is not None]


def _read(process: int, fd: int) -> TcpState | None:
    copy = _libc.syscall(_PIDFD_GETFD, process, fd, 0)
    if copy < 0:
        return None  # closed meanwhile, or not to be had
    try:
        one = socket.socket(fileno=copy)
    except OSError:  # it was closed, and the number is no socket any more
        os.close(copy)
        return None
    with one:
        try:
            return _state(fd, one)
        except OSError:  # no TCP socket
            return None


def _state(fd: int, one: socket.socket) -> TcpState:
    info = one.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _INFO_BYTES)
    memory = one.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO_BYTES)
    listens = info[0] == _STATE_LISTEN
    return TcpState(
        fd=fd,
        nodelay=bool(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)),
        retransmits=max(0, _member(_RETRANSMITS, info) - _member(_NEEDLESS, info)),
        window_closed_ns=_member(_WINDOW_CLOSED, info) * _US,
        max_pending=_member(_MAX_PENDING, info) if listens else None,
        dropped=_member(_DROPS, memory) if listens else 0,
    )


def _member(place: struct.Struct, data: bytes) -> int:
    """0 where an older kernel's struct ends before it."""
    return int(place.unpack_from(data)[0]) if len(data) >= place.size else 0

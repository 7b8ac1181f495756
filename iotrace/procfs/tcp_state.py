# SPDX-License-Identifier: Apache-2.0
"""What the kernel keeps of a TCP connection or listener of another process: tcp(7).

Its text tables lack most of it; getsockopt(2) on a borrowed descriptor tells.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from iotrace.procfs.borrowed import ask_descriptors
from iotrace.procfs.files import PROC

_TCP_INFO, _SO_MEMINFO = 11, 55
_INFO_BYTES, _MEMINFO_BYTES = 256, 64
_STATE_SYN_SENT, _STATE_CLOSE_WAIT, _STATE_LISTEN = 2, 8, 10
_US, _MS = 1_000, 1_000_000
_SYN_TIMEOUT_NS = 1_000_000_000
"""Until a SYN is sent again, at least (TCP_TIMEOUT_INIT)."""

# struct tcp_info, include/uapi/linux/tcp.h; later kernels append members.
_TIMEOUT, _MAX_PENDING, _RETRANSMITS, _WINDOW_CLOSED, _NEEDLESS = (
    struct.Struct("=8xI"),
    struct.Struct("=28xI"),
    struct.Struct("=100xI"),
    struct.Struct("=176xQ"),
    struct.Struct("=216xI"),
)
_LAST_SEGMENT = struct.Struct("=56xI")
_SEGMENTS_IN, _OUT_OF_ORDER = struct.Struct("=152xI"), struct.Struct("=224xI")
_SEGMENTS_OUT, _UNACKNOWLEDGED = struct.Struct("=156xI"), struct.Struct("=24xI")
_LAST_SENT, _LAST_RECEIVED = struct.Struct("=44xI"), struct.Struct("=52xI")
_TRIES, _BACKOFF = 2, 4
"""The bytes tcpi_retransmits and tcpi_backoff."""
_DROPS = struct.Struct("=32xI")
"""SK_MEMINFO_DROPS, include/uapi/linux/sock_diag.h."""


@dataclass(frozen=True, slots=True)
class TcpState:
    """One socket. Counters are since it was made.

    ``nodelay``: TCP_NODELAY. ``retransmits``: segments that were sent again, but for those that the
    peer then said it had already (RFC 2883, D-SACK): a late acknowledgement is no loss.
    ``window_closed_ns``: time in which there was data to send and no room in the peer's receive
    window.
    ``max_pending``: of a listener, how many connections may wait to be accepted; None: it is none.
    ``dropped``: of a listener, connections (SYNs) that found no room; 0 with TCP_DEFER_ACCEPT,
    where the kernel counts each connection whose last ACK has no data, too.
    ``tries``: so often the oldest segment was sent again (of a connection that is being made: its
    SYN), and nothing was acknowledged since; ``silent_ns``: that takes so long at least.
    ``shut_ns``: the peer's receive window has been closed without a break for so long at least.
    ``segments_in``: received, with data; of these, ``out_of_order`` came before one that was
    missing: it was lost on the way here, or overtaken.
    ``one_sided_ns``: data has gone one way only since the connection was made, and all that was
    sent is acknowledged: since when, at the last of it; 0: it went both ways, or none did.
    ``segments_out``: sent with data, since the socket was made.
    ``left_ns``: the peer has closed the connection and this side has not (CLOSE_WAIT), and nothing
    came since for so long.
    """

    fd: int
    nodelay: bool
    retransmits: int
    window_closed_ns: int
    max_pending: int | None
    dropped: int
    tries: int = 0
    silent_ns: int = 0
    shut_ns: int = 0
    segments_in: int = 0
    out_of_order: int = 0
    one_sided_ns: int = 0
    segments_out: int = 0
    left_ns: int = 0


def read_tcp_states(pid: int, fds: Iterable[int], root: str = PROC) -> list[TcpState]:
    """Those of these descriptors that are TCP sockets; none where the kernel does not give them.

    Raises as ``ProcessErrors`` says.
    """
    return list(ask_descriptors(pid, fds, _read, root).values())


def _read(fd: int, copy: int) -> TcpState:
    """Raises OSError where it is no TCP socket."""
    with socket.socket(fileno=copy) as one:
        try:
            return _state(fd, one)
        finally:
            one.detach()  # whoever has lent it closes it


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
        dropped=_member(_DROPS, memory) if listens and not _deferred(one) else 0,
        tries=0 if listens else info[_TRIES],
        silent_ns=0 if listens else _silent_ns(info),
        shut_ns=0 if listens or info[_TRIES] else _shut_ns(info),
        segments_in=0 if listens else _member(_SEGMENTS_IN, info),
        out_of_order=0 if listens else _member(_OUT_OF_ORDER, info),
        one_sided_ns=0 if listens else _one_sided_ns(info),
        segments_out=0 if listens else _member(_SEGMENTS_OUT, info),
        left_ns=_member(_LAST_SEGMENT, info) * _MS if info[0] == _STATE_CLOSE_WAIT else 0,
    )


def _one_sided_ns(info: bytes) -> int:
    came, went = _member(_SEGMENTS_IN, info), _member(_SEGMENTS_OUT, info)
    if bool(came) == bool(went) or _member(_UNACKNOWLEDGED, info):
        return 0
    return _member(_LAST_RECEIVED if came else _LAST_SENT, info) * _MS


def _deferred(one: socket.socket) -> bool:
    return bool(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT))


def _shut_ns(info: bytes) -> int:
    """Probes of a closed window: each comes after twice the time of the last one, and the count
    begins anew when it opens."""
    timeout_ns = _member(_TIMEOUT, info) * _US
    return (timeout_ns << min(info[_BACKOFF], 16)) - timeout_ns


def _silent_ns(info: bytes) -> int:
    """Each timeout is twice the last one; those of the first SYNs may be equal (since 6.5)."""
    tries, timeout_ns = info[_TRIES], _member(_TIMEOUT, info) * _US
    silent = timeout_ns - (timeout_ns >> min(tries, 63))
    return max(silent, tries * _SYN_TIMEOUT_NS) if info[0] == _STATE_SYN_SENT else silent


def _member(place: struct.Struct, data: bytes) -> int:
    """0 where an older kernel's struct ends before it."""
    return int(place.unpack_from(data)[0]) if len(data) >= place.size else 0

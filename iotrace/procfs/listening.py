# SPDX-License-Identifier: Apache-2.0
"""Which TCP ports are listened on, before the sockets of any process are known."""

from __future__ import annotations

from iotrace.errors import Unsupported
from iotrace.procfs.files import PROC, read_process_lines

_LISTEN = b"0A"
"""TCP_LISTEN, include/net/tcp_states.h."""


def read_listening_ports(pid: int, root: str = PROC) -> frozenset[int]:
    """All of a process's network namespace. Raises as ``read_listening_sockets``."""
    return frozenset(read_listening_sockets(pid, root).values())


def read_listening_sockets(pid: int, root: str = PROC) -> dict[int, int]:
    """Inode -> port of each socket that listens in a process's network namespace.

    The kernel lists listening sockets first (tcp4_seq_show, net/ipv4/tcp_ipv4.c), so that little is
    read where there are many connections. Raises ``NoSuchProcess``, ``PermissionDenied``.
    """
    sockets: dict[int, int] = {}
    for table in ("tcp", "tcp6"):
        try:
            for lines in read_process_lines(pid, f"net/{table}", root):
                found, more = _listening(lines)
                sockets |= found
                if not more:
                    break
        except Unsupported:  # a kernel without IPv6
            continue
    return sockets


def _listening(lines: bytes) -> tuple[dict[int, int], bool]:
    """Those of these lines, and whether there may be more behind them."""
    sockets: dict[int, int] = {}
    for line in lines.splitlines():
        fields = line.split(maxsplit=10)
        if len(fields) < 10 or fields[0] == b"sl":
            continue
        if fields[3] != _LISTEN:
            return sockets, False
        sockets[int(fields[9])] = int(fields[1].rpartition(b":")[2], 16)
    return sockets, True

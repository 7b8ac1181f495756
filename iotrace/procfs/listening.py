# SPDX-License-Identifier: Apache-2.0
"""Which TCP ports are listened on, before the sockets of any process are known."""

from __future__ import annotations

from iotrace.errors import Unsupported
from iotrace.procfs.files import PROC, read_process_lines

_LISTEN = b"0A"
"""TCP_LISTEN, include/net/tcp_states.h."""


def read_listening_ports(pid: int, root: str = PROC) -> frozenset[int]:
    """All of a process's network namespace, whoever listens.

    The kernel lists listening sockets first (tcp4_seq_show, net/ipv4/tcp_ipv4.c), so that little is
    read where there are many connections. Raises ``NoSuchProcess``, ``PermissionDenied``.
    """
    ports: set[int] = set()
    for table in ("tcp", "tcp6"):
        try:
            for lines in read_process_lines(pid, f"net/{table}", root):
                found, more = _listening(lines)
                ports |= found
                if not more:
                    break
        except Unsupported:  # a kernel without IPv6
            continue
    return frozenset(ports)


def _listening(lines: bytes) -> tuple[set[int], bool]:
    """The ports of these lines, and whether there may be more behind them."""
    ports: set[int] = set()
    for line in lines.splitlines():
        fields = line.split(maxsplit=4)
        if len(fields) < 4 or fields[0] == b"sl":
            continue
        if fields[3] != _LISTEN:
            return ports, False
        ports.add(int(fields[1].rpartition(b":")[2], 16))
    return ports, True

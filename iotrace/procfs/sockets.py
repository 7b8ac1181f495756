# SPDX-License-Identifier: Apache-2.0
"""From a socket's inode to its addresses, for the sockets of one process."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from iotrace.errors import PermissionDenied, Unsupported
from iotrace.procfs.files import PROC, read_process_lines
from iotrace.procfs.namespace import shares_namespace
from iotrace.procfs.net_tables import Socket, parse_inet, parse_unix
from iotrace.procfs.unix_diag import request_entries, sockets_of

_INET_TABLES = (
    ("tcp", "tcp", socket.AF_INET),
    ("tcp6", "tcp", socket.AF_INET6),
    ("udp", "udp", socket.AF_INET),
    ("udp6", "udp", socket.AF_INET6),
)
_TABLE_BYTES = 1 << 28
"""A good million of sockets; no more than a piece of it is in memory."""


def read_sockets(
    pid: int, inodes: Iterable[int] | None = None, root: str = PROC
) -> dict[int, Socket]:
    """The sockets of a process's network namespace by inode; just ``inodes``, if given.

    TCP and UDP come from ``/proc/PID/net``, which is that of the process's own namespace. Unix
    sockets too, without their peers and queues, if that isn't the caller's namespace or the
    kernel has no socket diagnostics. Sockets that are neither bound nor connected are in no
    table. Give ``inodes`` where they are known: it spares the formatting of all others and the
    tables after the one that had the last of them. Raises ``NoSuchProcess``, ``PermissionDenied``.
    """
    # Measured with 20,000 connections: text 46 ms, inet_diag 25 ms. The text needs no module, no
    # second parser, and works from any namespace.
    missing = None if inodes is None else set(inodes)
    found: dict[int, Socket] = {}
    for table, kind, family in _INET_TABLES:
        if missing is not None and not missing:
            return found
        part = _read_inet(pid, table, kind, family, missing, root)
        found |= part
        if missing is not None:
            missing -= part.keys()
    if missing is None or missing:
        found |= _read_unix(pid, missing, root)
    return found


def _read_inet(
    pid: int, table: str, kind: str, family: int, wanted: set[int] | None, root: str
) -> dict[int, Socket]:
    found: dict[int, Socket] = {}
    try:
        for lines in read_process_lines(pid, f"net/{table}", root, _TABLE_BYTES):
            found |= parse_inet(lines, kind, family, wanted)
            if wanted is not None and len(found) == len(wanted):
                break
    except Unsupported:  # a kernel without IPv6
        return {}
    return found


def _read_unix(pid: int, wanted: set[int] | None, root: str) -> dict[int, Socket]:
    try:
        if root == PROC and shares_namespace(pid, "net", root):
            return sockets_of(request_entries(wanted), wanted)
    except (OSError, ValueError, PermissionDenied, Unsupported):
        pass  # the table tells less, but it is always there
    found: dict[int, Socket] = {}
    for lines in read_process_lines(pid, "net/unix", root, _TABLE_BYTES):
        found |= parse_unix(lines, wanted)
    return found

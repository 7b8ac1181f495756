# SPDX-License-Identifier: Apache-2.0
"""Who listens on a TCP port: the sockets of each network namespace, then who holds them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from iotrace.discovery.census import Census
from iotrace.errors import NoSuchProcess, PermissionDenied
from iotrace.procfs.descriptors import parse_inode
from iotrace.procfs.files import PROC, TooLarge
from iotrace.procfs.listening import read_listening_sockets
from iotrace.procfs.namespace import Namespace


def find_listeners(
    port: int, census: Census, root: str = PROC
) -> dict[Namespace | None, frozenset[int]]:
    """Network namespace -> the processes in it that hold a socket that listens on ``port``.

    The tables are read once a namespace, and descriptors only where somebody listens.
    """
    members: dict[Namespace | None, list[int]] = {}
    for candidate in census.values():
        members.setdefault(candidate.network, []).append(candidate.pid)
    found = {}
    for network, pids in members.items():
        inodes = _listening_inodes(pids, port, root)
        holders = frozenset(pid for pid in pids if inodes and _holds(pid, inodes, root))
        if holders:
            found[network] = holders
    return found


def _listening_inodes(pids: Iterable[int], port: int, root: str) -> frozenset[int]:
    """Asked of any process of the namespace that is still there."""
    for pid in pids:
        try:
            sockets = read_listening_sockets(pid, root)
        except (NoSuchProcess, PermissionDenied, TooLarge):
            continue
        return frozenset(inode for inode, listened in sockets.items() if listened == port)
    return frozenset()


def _holds(pid: int, inodes: frozenset[int], root: str) -> bool:
    directory = f"{root}/{pid}/fd"
    try:
        numbers = os.listdir(directory)  # noqa: PTH208
    except OSError:
        return False
    for number in numbers:
        try:
            target = os.readlink(f"{directory}/{number}")  # noqa: PTH115
        except OSError:
            continue
        if parse_inode(target) in inodes:
            return True
    return False

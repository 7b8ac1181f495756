# SPDX-License-Identifier: Apache-2.0
"""What a process has open, and where its sockets lead to."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from iotrace.procfs import sockets as procfs_sockets
from iotrace.procfs import tcp_state
from iotrace.procfs.descriptors import Descriptor, iterate_descriptors
from iotrace.procfs.fdinfo import FdInfo, Watch
from iotrace.procfs.net_tables import Socket
from iotrace.procfs.tcp_state import TcpState
from iotrace.procfs.unread_pipes import read_unread_pipes
from iotrace.target_reader.asking import Asker
from iotrace.target_reader.programs import members

_LONGEST_NS = 2_000_000_000
"""What is not read by then is left out: some 100,000 descriptors are."""
_TARGET_LENGTH = 1024
_TARGETS_LENGTH = 1 << 22
_MOST_WATCHES = 1 << 17


def read_descriptors(
    reader: Asker, pid: int, most: int, only: Collection[int] | None = None
) -> tuple[dict[int, Descriptor], bool]:
    """The ``most`` first open descriptors of a process by number, and whether that is all of them;
    ``only``: of these.

    More than that, or than an honest process has of names and watches, is left out, and the reader
    told so. Raises what ``Asker.ask`` raises.
    """
    found, is_all = reader.ask("descriptors", pid, most, None if only is None else tuple(only))
    if not is_all:
        reader.cut_short(pid, f"it has so much open that only {len(found)} descriptors were read")
    by_number = {
        fd: Descriptor(
            fd=fd,
            kind=kind,
            target=target,
            inode=inode,
            info=None if info is None else FdInfo(*info),
            watches=tuple([Watch(*watch) for watch in watches]),
        )
        for fd, kind, target, inode, info, watches in found
    }
    return by_number, is_all


def read_sockets(reader: Asker, pid: int, inodes: Collection[int]) -> dict[int, Socket]:
    """These sockets of the network namespace of a process. Raises what ``ask`` raises."""
    answer = reader.ask("sockets", pid, tuple(inodes))
    found = [Socket(*socket) for socket in answer]
    return {socket.inode: socket for socket in found}


def read_tcp_states(reader: Asker, pid: int, fds: Collection[int]) -> dict[int, TcpState]:
    """What the kernel keeps of these TCP sockets, by number. Raises what ``ask`` raises."""
    return {one[0]: TcpState(*one) for one in reader.ask("tcp_states", pid, tuple(fds))}


def read_pipes(reader: Asker, pid: int, fds: Collection[int]) -> dict[int, int]:
    """The bytes in those of these pipes that are not empty. Raises what ``ask`` raises."""
    return dict(reader.ask("unread_pipes", pid, tuple(fds)))


def descriptors(
    _session: object, pid: int, most: int, only: Sequence[int] | None
) -> tuple[list[Any], bool]:
    """In the reader."""
    until_ns = time.monotonic_ns() + _LONGEST_NS
    found: list[Any] = []
    characters, watches = _TARGETS_LENGTH, _MOST_WATCHES
    for one in iterate_descriptors(pid, only):
        target = one.target
        if len(target) > _TARGET_LENGTH:
            target = f"{target[: _TARGET_LENGTH - 3]}..."
        characters -= len(target)
        watches -= len(one.watches)
        if len(found) >= most or characters < 0 or watches < 0 or time.monotonic_ns() > until_ns:
            return found, False
        info = one.info and members(one.info)
        found.append((one.fd, one.kind, target, one.inode, info, [members(w) for w in one.watches]))
    return found, True


def sockets(_session: object, pid: int, inodes: Sequence[int]) -> list[Any]:
    """In the reader."""
    found = procfs_sockets.read_sockets(pid, inodes).values()
    return [members(replace(socket, family=int(socket.family))) for socket in found]


def tcp_states(_session: object, pid: int, fds: Sequence[int]) -> list[Any]:
    """In the reader."""
    return [members(one) for one in tcp_state.read_tcp_states(pid, fds)]


def unread_pipes(_session: object, pid: int, fds: Sequence[int]) -> list[Any]:
    """In the reader."""
    return list(read_unread_pipes(pid, fds).items())

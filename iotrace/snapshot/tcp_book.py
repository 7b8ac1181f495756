# SPDX-License-Identifier: Apache-2.0
"""Counters of TCP sockets that began before the trace, and what they grew by since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from iotrace.errors import IotraceError
from iotrace.procfs.descriptors import Descriptor
from iotrace.procfs.net_tables import Socket
from iotrace.procfs.tcp_state import TcpState
from iotrace.target_reader.opened import read_tcp_states
from iotrace.target_reader.reader import TargetReader

_MOST_SOCKETS = 256
"""Of one process: three system calls each. Listeners come first, then what is not sent yet."""
_MOST_KNOWN = 1 << 16


class TcpBook:
    """What the kernel keeps of some sockets of each process."""

    def __init__(self, reader: TargetReader, ran_already: Collection[int]) -> None:
        """``ran_already``: processes that were there when their trace began; it may grow."""
        self._reader = reader
        self._ran_already = ran_already
        self._seen: dict[int, tuple[int, ...]] = {}
        """Pid -> inodes of sockets that are older than its trace."""
        self._began: dict[int, TcpState] = {}

    def look(
        self, pid: int, descriptors: Iterable[Descriptor], sockets: Mapping[int, Socket]
    ) -> dict[int, TcpState]:
        """By inode; counters since the process was first looked at, or its sockets were made.

        What cannot be read is left out: nothing but a few findings hangs on it.
        """
        chosen = _chosen(descriptors, sockets)
        try:
            states = read_tcp_states(self._reader, pid, list(chosen)) if chosen else {}
        except (IotraceError, OSError, ValueError):
            return {}
        found = {chosen[fd]: state for fd, state in states.items() if fd in chosen}
        if pid not in self._seen:
            self._seen[pid] = ()
            if pid in self._ran_already and len(self._began) < _MOST_KNOWN:
                self._seen[pid] = tuple(found)
                for inode, state in found.items():
                    self._began.setdefault(inode, state)
        return {inode: _since(state, self._began.get(inode)) for inode, state in found.items()}

    def forget(self, pids: Iterable[int]) -> None:
        """These processes have ended."""
        gone = {inode for pid in pids for inode in self._seen.pop(pid, ())}
        if gone:
            for inode in gone.difference(*self._seen.values()):
                self._began.pop(inode, None)


def _chosen(descriptors: Iterable[Descriptor], sockets: Mapping[int, Socket]) -> dict[int, int]:
    """Inodes by number, of one number for each socket."""
    by_inode = {
        one.inode: one.fd
        for one in descriptors
        if one.inode is not None and one.inode in sockets and sockets[one.inode].kind == "tcp"
    }
    ranked = sorted(
        by_inode,
        key=lambda inode: (
            sockets[inode].pending is None,
            -(sockets[inode].unsent_bytes or 0),
            inode,
        ),
    )
    return {by_inode[inode]: inode for inode in ranked[:_MOST_SOCKETS]}


def _since(now: TcpState, began: TcpState | None) -> TcpState:
    if began is None:
        return now
    return replace(
        now,
        retransmits=max(0, now.retransmits - began.retransmits),
        window_closed_ns=max(0, now.window_closed_ns - began.window_closed_ns),
        dropped=max(0, now.dropped - began.dropped),
        segments_in=max(0, now.segments_in - began.segments_in),
        out_of_order=max(0, now.out_of_order - began.out_of_order),
    )

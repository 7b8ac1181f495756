# SPDX-License-Identifier: Apache-2.0
"""Datagrams that UDP sockets had no room for, since the trace of their process began."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from iotrace.procfs.net_tables import Socket

_MOST_KNOWN = 1 << 16
"""Sockets that had dropped something before, of all processes together."""


class DropBook:
    """The kernel counts from when a socket was made (udp(7): net.core.rmem_default)."""

    def __init__(self, ran_already: Collection[int]) -> None:
        """``ran_already``: processes that were there when their trace began; it may grow."""
        self._ran_already = ran_already
        self._began: dict[int, dict[int, int]] = {}
        """Pid -> what its sockets had dropped at the first look, by inode."""

    def look(self, pid: int, sockets: Mapping[int, Socket]) -> dict[int, Socket]:
        """Those of the process that have dropped something, by inode, with the drops since."""
        dropping = {inode: one for inode, one in sockets.items() if one.dropped}
        if pid not in self._began:
            known = sum(map(len, self._began.values()))
            old = pid in self._ran_already and known + len(dropping) <= _MOST_KNOWN
            self._began[pid] = (
                {inode: one.dropped or 0 for inode, one in dropping.items()} if old else {}
            )
        began = self._began[pid]
        return {
            inode: replace(one, dropped=max(0, (one.dropped or 0) - began.get(inode, 0)))
            for inode, one in dropping.items()
        }

    def forget(self, pids: Iterable[int]) -> None:
        """These processes have ended."""
        for pid in pids:
            self._began.pop(pid, None)

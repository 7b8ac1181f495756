# SPDX-License-Identifier: Apache-2.0
"""Connections that a process has from its parent, which does not have them any more."""

from __future__ import annotations

from iotrace.report.surroundings import InheritedConnection
from iotrace.snapshot.facts import ProcessFacts

_MOST = 20


def inherited_connections(
    mine: ProcessFacts | None, parent: ProcessFacts | None
) -> tuple[InheritedConnection, ...]:
    """Those with unread data, of a listener that both have open: who accepted them is not told.
    () where it is not known what the parent has open."""
    if mine is None or parent is None or not mine.sockets or not parent.sockets:
        return ()
    if not parent.all_descriptors:
        return ()
    shared = {
        _port(one.local)
        for inode, one in mine.sockets.items()
        if one.state == "listen" and one.kind == "tcp" and inode in parent.sockets
    }
    its = {one.inode for one in parent.descriptors.values()}
    rows = [
        InheritedConnection(one.peer, one.unread_bytes)
        for inode, one in mine.sockets.items()
        if one.kind == "tcp"
        and one.state == "established"  # else the client has gone, and waits for nothing
        and one.unread_bytes
        and _port(one.local) in shared
        and inode not in its
    ]
    return tuple(sorted(rows, key=lambda one: (-one.unread_bytes, one.peer))[:_MOST])


def _port(address: str) -> str:
    return address.rpartition(":")[2]

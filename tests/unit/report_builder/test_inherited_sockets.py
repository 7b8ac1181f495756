"""Connections that a forked process has, and its parent no longer."""

from __future__ import annotations

from dataclasses import replace

from iotrace.procfs.descriptors import Descriptor
from iotrace.procfs.fdinfo import FdInfo
from iotrace.procfs.net_tables import Socket
from iotrace.report.surroundings import InheritedConnection
from iotrace.report_builder.inherited_sockets import inherited_connections
from iotrace.snapshot.facts import ProcessFacts

_LISTENER = Socket(70, "tcp", 2, "0.0.0.0:8000", "", "listen", 0, 0)
_KEPT = Socket(71, "tcp", 2, "127.0.0.1:8000", "10.0.0.7:5001", "established", 72, 0)
_READ = replace(_KEPT, inode=72, peer="10.0.0.7:5002", unread_bytes=0)
_LEFT = replace(_KEPT, inode=74, peer="10.0.0.7:5003", state="close_wait", unread_bytes=1)
_OUTGOING = replace(_KEPT, inode=73, local="127.0.0.1:40000", peer="10.0.0.9:5432")


def _facts(pid: int, parent: int, *sockets: Socket) -> ProcessFacts:
    fds = {
        fd: Descriptor(fd, "socket", f"socket:[{one.inode}]", one.inode, FdInfo(0, 2))
        for fd, one in enumerate(sockets, 3)
    }
    known = {one.inode: one for one in sockets}
    return ProcessFacts(pid, parent, "python3", (), None, None, fds, known)


_CHILD = _facts(701, 700, _LISTENER, _KEPT, _READ, _OUTGOING, _LEFT)


def test_what_the_parent_has_closed_is_told_with_what_lies_there() -> None:
    found = inherited_connections(_CHILD, _facts(700, 1, _LISTENER))
    assert found == (InheritedConnection("10.0.0.7:5001", 72),)


def test_what_the_parent_has_too_or_never_had_is_not() -> None:
    assert inherited_connections(_CHILD, _facts(700, 1, _LISTENER, _KEPT)) == ()
    other = replace(_LISTENER, inode=99)  # it listens for itself (SO_REUSEPORT)
    assert inherited_connections(_CHILD, _facts(700, 1, other)) == ()
    parent = _facts(700, 1, _LISTENER)
    for unknown in (
        None,
        replace(parent, sockets=None),
        replace(parent, all_descriptors=False),  # it has so many: this may be among the others
    ):
        assert inherited_connections(_CHILD, unknown) == ()
    assert inherited_connections(None, _CHILD) == ()

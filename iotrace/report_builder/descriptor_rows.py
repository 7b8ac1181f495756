# SPDX-License-Identifier: Apache-2.0
"""Descriptor rows: what each number was, who was at the other end, what it cost."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from iotrace.procfs.endpoint import format_endpoint, format_peer
from iotrace.procfs.net_tables import Socket
from iotrace.procfs.tcp_state import TcpState
from iotrace.report.model import (
    Connected,
    Descriptor,
    LeftByClients,
    Listener,
    OneSided,
    OpenSockets,
    Overflowed,
    Pickup,
    Silent,
    Unsent,
)
from iotrace.report.surroundings import MOST_PEERS
from iotrace.report_builder.file_places import file_system_of
from iotrace.snapshot import histogram
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.merging import add_all
from iotrace.snapshot.totals import DescriptorTotals
from iotrace.vocabulary.kinds import FILES, SOCKETS

_ADDRESS_BYTES = {2: 4, 10: 16}
"""AF_INET, AF_INET6."""
_LEAST_ONE_SIDED_NS = 1_000_000_000
"""What was asked later may be answered yet: a busy server has requests in hand at any time."""
_SENDING = ("established", "close_wait", "syn_sent")
"""States of connections that this process may still want something of."""


def descriptor_row(
    fd: int,
    kind: str,
    parts: Sequence[DescriptorTotals],
    facts: ProcessFacts | None,
    at_ns: int,
) -> Descriptor:
    """One row from what each thread saw of this number; the latest object names it.

    ``opened`` counts objects: threads may have seen the same one (a shared listener) or each
    another (a connection per thread), which their inodes tell.
    """
    latest = max(parts, key=lambda part: part.inode)
    socket = _socket(latest.inode, facts)
    tcp = facts.tcp.get(latest.inode) if facts and latest.inode else None
    local, peer = _addresses(fd, kind, latest, facts)
    total = add_all(parts)
    return Descriptor(
        fd=fd,
        kind=kind,
        local=local,
        peer=peer,
        nonblocking=_nonblocking(fd, latest, facts),
        calls=total.calls,
        bytes_in=total.bytes_in,
        bytes_out=total.bytes_out,
        wait_ns=total.wait_ns,
        copy_ns=total.copy_ns,
        pickup_ns=pickup(total),
        opened=len({part.inode for part in parts}) + sum(max(0, p.opened - 1) for p in parts),
        copy_estimated=total.estimated > 0,
        eagain=total.eagain,
        unread_ns=_unread_ns(latest, socket, at_ns),
        polled_ns=total.polled_ns,
        sleeps=total.sleeps or None,
        unread_bytes=socket.unread_bytes if socket else None,
        pending=socket.pending if socket else None,
        unsent_bytes=socket.unsent_bytes if socket else None,
        nodelay=tcp.nodelay if tcp else None,
        retransmits=tcp.retransmits if tcp else None,
        window_closed_ns=tcp.window_closed_ns if tcp else None,
        window_shut_ns=tcp.shut_ns if tcp else None,
        segments_in=tcp.segments_in if tcp else None,
        out_of_order=tcp.out_of_order if tcp else None,
        file_system=file_system_of(local, facts) if kind in FILES and total.wait_ns else "",
    )


def open_sockets(facts: ProcessFacts | None) -> OpenSockets:
    """What the sockets of a process come to, whether or not a call used them."""
    if facts is None or facts.sockets is None:
        return OpenSockets(None)
    sockets = facts.sockets.values()
    return OpenSockets(
        count=len(sockets),
        listening=tuple(sorted({one.local for one in sockets if one.state == "listen"})),
        pending=sum(one.pending or 0 for one in sockets),
        unread=sum(1 for one in sockets if one.state == "established" and one.unread_bytes),
        listeners=tuple(
            Listener(one.local, one.pending or 0, tcp.max_pending, tcp.dropped)
            for one in sorted(sockets, key=lambda one: one.local)
            if (tcp := facts.tcp.get(one.inode)) and tcp.max_pending is not None
        ),
        connected=_connected(sockets),
        unsent=_unsent(facts, sockets),
        silent=_silent(facts, sockets),
        overflowed=_overflowed(sockets),
        one_sided=_one_sided(facts, sockets),
        left=_left(facts, sockets),
    )


def _left(facts: ProcessFacts, sockets: Collection[Socket]) -> LeftByClients | None:
    listening = {_port(one.local) for one in sockets if one.state == "listen"}
    accepted = [one for one in sockets if one.kind == "tcp" and _port(one.local) in listening]
    left = [one for one in accepted if one.state == "close_wait"]
    if not left:
        return None
    clients = Counter(one.peer.rpartition(":")[0] for one in left)
    known = sorted(tcp.left_ns for one in left if (tcp := facts.tcp.get(one.inode)))
    return LeftByClients(
        connections=len(left),
        open_connections=len(left) + sum(one.state == "established" for one in accepted),
        clients=len(clients),
        client=clients.most_common(1)[0][0],
        typical_ns=known[len(known) // 2] if known else None,
    )


def _one_sided(facts: ProcessFacts, sockets: Collection[Socket]) -> tuple[OneSided, ...]:
    listeners = {_port(one.local): one.local for one in sockets if one.state == "listen"}
    groups: dict[tuple[str, bool], list[TcpState]] = {}
    for one in sockets:
        tcp = facts.tcp.get(one.inode)
        if tcp is None or tcp.one_sided_ns < _LEAST_ONE_SIDED_NS or one.unread_bytes:
            continue
        if one.state != "established":
            continue
        accepted = _port(one.local) in listeners
        if accepted is (tcp.segments_out == 0):  # else it has sent before the client did
            address = listeners[_port(one.local)] if accepted else one.peer
            groups.setdefault((address, accepted), []).append(tcp)
    rows = [
        OneSided(
            address=address,
            accepted=accepted,
            connections=len(group),
            silent_ns=max(one.one_sided_ns for one in group),
            segments=max(one.segments_out or one.segments_in for one in group),
        )
        for (address, accepted), group in groups.items()
    ]
    return tuple(sorted(rows, key=lambda one: (-one.silent_ns, one.address))[:MOST_PEERS])


def _overflowed(sockets: Collection[Socket]) -> tuple[Overflowed, ...]:
    rows = [Overflowed(one.local, one.peer, one.dropped) for one in sockets if one.dropped]
    return tuple(sorted(rows, key=lambda one: (-one.dropped, one.local))[:MOST_PEERS])


def _unsent(facts: ProcessFacts, sockets: Collection[Socket]) -> tuple[Unsent, ...]:
    rows = [
        Unsent(one.peer, one.unsent_bytes, _shut_ns(facts, one))
        for one in sockets
        if one.kind == "tcp" and one.state == "established" and one.unsent_bytes
    ]
    return tuple(sorted(rows, key=lambda one: (-one.unsent_bytes, one.peer))[:MOST_PEERS])


def _shut_ns(facts: ProcessFacts, one: Socket) -> int | None:
    tcp = facts.tcp.get(one.inode)
    return tcp.shut_ns if tcp else None


def _silent(facts: ProcessFacts, sockets: Collection[Socket]) -> tuple[Silent, ...]:
    groups: dict[tuple[str, bool], list[TcpState]] = {}
    for one in sockets:
        tcp = facts.tcp.get(one.inode)
        if tcp is not None and tcp.tries and one.peer and one.state in _SENDING:
            groups.setdefault((one.peer, one.state == "syn_sent"), []).append(tcp)
    rows = [
        Silent(
            peer=peer,
            connecting=connecting,
            connections=len(group),
            tries=max(one.tries for one in group),
            silent_ns=max(one.silent_ns for one in group),
        )
        for (peer, connecting), group in groups.items()
    ]
    return tuple(sorted(rows, key=lambda one: (-one.silent_ns, one.peer))[:MOST_PEERS])


def _connected(sockets: Collection[Socket]) -> tuple[Connected, ...]:
    listening = {_port(one.local) for one in sockets if one.state == "listen"}
    states: dict[str, Counter[str]] = {}
    for one in sockets:
        if one.kind == "tcp" and one.peer and _port(one.local) not in listening:
            states.setdefault(one.peer, Counter())[one.state] += 1
    rows = [
        Connected(peer, count["established"] + count["close_wait"], count["close_wait"])
        for peer, count in states.items()
        if count["established"] + count["close_wait"]
    ]
    return tuple(sorted(rows, key=lambda one: (-one.connections, one.peer))[:MOST_PEERS])


def _port(address: str) -> str:
    return address.rpartition(":")[2]


def _socket(inode: int | None, facts: ProcessFacts | None) -> Socket | None:
    """The socket of this inode, if /proc has told of it."""
    if facts is None or facts.sockets is None or inode is None:
        return None
    return facts.sockets.get(inode)


def _unread_ns(latest: DescriptorTotals, socket: Socket | None, at_ns: int) -> int | None:
    """How long data (or a connection) has been lying there, if it still does at the end."""
    if not latest.unread_since_ns or socket is None:
        return None
    if not socket.unread_bytes and not socket.pending:
        return None
    return max(0, at_ns - latest.unread_since_ns)


def pickup(total: DescriptorTotals, *, with_histogram: bool = False) -> Pickup | None:
    """Its delays; None if there was none."""
    if not total.pickups:
        return None
    counts, max_ns = total.pickup, total.pickup_max_ns
    return Pickup(
        count=total.pickups,
        p50=histogram.percentile_ns(counts, 0.5, max_ns),
        p99=histogram.percentile_ns(counts, 0.99, max_ns),
        max=max_ns,
        histogram=histogram.used(counts, max_ns) if with_histogram else (),
    )


def pickup_of_all(parts: Iterable[DescriptorTotals]) -> Pickup | None:
    """The delays of all these together, with their histogram; None if there was none."""
    late = [part for part in parts if part.pickups]
    return pickup(add_all(late), with_histogram=True) if late else None


def _addresses(
    fd: int, kind: str, latest: DescriptorTotals, facts: ProcessFacts | None
) -> tuple[str, str]:
    """(local, peer): what the kernel had when data moved, else what /proc shows now."""
    size = _ADDRESS_BYTES.get(latest.family)
    if size and latest.local_port:
        return (
            format_endpoint(latest.family, latest.local[:size], latest.local_port),
            format_peer(latest.family, latest.peer[:size], latest.peer_port),
        )
    now = facts.descriptors.get(fd) if facts else None
    if now is None or facts is None or (latest.inode and now.inode not in (None, latest.inode)):
        return "", ""
    socket = _socket(now.inode, facts)
    if socket is not None:
        return socket.local, socket.peer
    return ("" if kind in SOCKETS else now.target), ""


def _nonblocking(fd: int, latest: DescriptorTotals, facts: ProcessFacts | None) -> bool | None:
    now = facts.descriptors.get(fd) if facts else None
    if now is not None and now.info is not None:
        same = not latest.inode or now.inode in (None, latest.inode)
        if same:
            return now.info.nonblocking
    if not latest.inode:
        return None
    return bool(latest.open_flags & os.O_NONBLOCK)

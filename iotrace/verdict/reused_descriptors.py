# SPDX-License-Identifier: Apache-2.0
"""Numbers of descriptors that were used for connections to several peers, one after the other.

What was waited on a number is kept by number: with a program that makes a connection for each call
all of it is told with the peer that had the number last. How long a peer took to answer is kept by
connection: where that cannot be what was waited, and is what another peer took, it was the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from iotrace.report.model import Descriptor, Process
from iotrace.report.requests import Upstream
from iotrace.verdict.histograms import total_ns
from iotrace.vocabulary.calls import READS

MOST_RATIO = 2
"""Times what a peer took to answer: what was waited longer was not for its answers. A peer that is
slow to end its answers, which are counted to their begin, is told by what comes next."""
OTHERS_SHARE = 0.5
"""Of what was waited, at least, the other peer took to answer."""


@dataclass(frozen=True, slots=True)
class Misnamed:
    """``rows``: those waited for another peer than theirs, ``peer``, as ``calls`` calls did."""

    rows: frozenset[tuple[int, str]]
    peer: str
    calls: int


def misnamed(process: Process) -> Misnamed | None:
    """The numbers whose waits are most likely another peer's; None: nothing speaks for it."""
    took = {one.peer: _took_ns(one) for one in process.upstreams}
    rows: dict[str, list[Descriptor]] = {}
    for one in process.descriptors:
        if one.opened > 1 and one.polled_ns and one.peer in took:
            rows.setdefault(one.peer, []).append(one)
    strange = [
        one
        for peer, its in rows.items()
        if sum(row.polled_ns for row in its) > MOST_RATIO * took[peer]
        for one in its
    ]
    polled = sum(one.polled_ns for one in strange)
    peers = {one.peer for one in strange}
    others = [
        one
        for one in process.upstreams
        if one.peer not in peers and took[one.peer] >= OTHERS_SHARE * polled > 0
    ]
    # Calls that run at the same time took longer together than anybody waited for them.
    if len(others) != 1 or others[0].in_flight_max != 1:
        return None
    numbers = frozenset((one.fd, one.kind) for one in strange)
    return Misnamed(numbers, others[0].peer, others[0].calls)


def with_peers_of_blocked_reads(process: Process) -> Process:
    """Its numbers that accepted connections had last, and on which reads blocked an asyncio loop,
    with the peer that most likely was read from. asyncio's own sockets never block: the number was
    a client library's at that time."""
    if process.tasks is None:  # no asyncio
        return process
    took = {one.peer: _took_ns(one) for one in process.upstreams}
    loops = {one.tid for one in process.loops}
    blocked = {
        (line.fd, line.kind)
        for line in process.lines
        if line.tid in loops
        and line.syscall in READS
        and line.wait_ns
        and line.own < len(line.stack)
    }
    strange = [
        one
        for one in process.descriptors
        if one.kind == "tcp"
        and (one.fd, one.kind) in blocked
        and one.opened > 1
        and one.peer not in took
    ]
    waited = sum(one.wait_ns for one in strange)
    others = [one for one in process.upstreams if took[one.peer] >= OTHERS_SHARE * waited > 0]
    if len(others) != 1 or others[0].in_flight_max != 1:
        return process
    rows = (
        replace(one, local="", peer=others[0].peer) if one in strange else one
        for one in process.descriptors
    )
    return replace(process, descriptors=tuple(rows))


def _took_ns(one: Upstream) -> int:
    """Until its answers began, its connections were made, and so far at the end."""
    known = sum(total_ns(times) for times in (one.theirs_ns, one.connect_ns) if times)
    return known + one.unanswered * (one.oldest_unanswered_ns or 0)

# SPDX-License-Identifier: Apache-2.0
"""Peers that a process has called itself: its connections to each, and what it waited there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from iotrace.report.model import Descriptor
from iotrace.report.stacks import Line
from iotrace.report.surroundings import MOST_PEERS
from iotrace.report.times import Bucket
from iotrace.verdict.histograms import summed
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import calling_lines
from iotrace.verdict.reused_descriptors import misnamed
from iotrace.verdict.told_lines import ToldLine
from iotrace.verdict.work_sources import mostly_for_work
from iotrace.vocabulary.calls import CONNECTS, FAMILIES, READS


@dataclass(frozen=True, slots=True)
class Upstream:
    """One peer. ``lines``: the slow calls on its connections, by the latest of each stack.

    ``seen_calls``: how often it was asked, where the numbers of its connections were used for
    others, too, and so their rows do not say.
    """

    peer: str
    rows: tuple[Descriptor, ...]
    lines: tuple[Line, ...]
    seen_calls: int | None = None

    @property
    def waited_ns(self) -> int:
        """Asleep in calls on its connections, and in polls of one of them alone."""
        return sum(one.wait_ns + one.polled_ns for one in self.rows)

    @property
    def calls(self) -> int:
        """Calls on its connections; where calls are not seen, sleeps."""
        if self.seen_calls is not None:
            return self.seen_calls
        return sum((one.sleeps if one.calls is None else one.calls) or 0 for one in self.rows)

    @property
    def is_work_source(self) -> bool:
        """It is asked for the next job: waiting for it is being idle."""
        return mostly_for_work(self.lines)

    def waits(self) -> tuple[Bucket, ...]:
        """How long its answers were waited for, as a histogram of the calls that were slow."""
        return summed(
            line.latency_ns.histogram
            for line in self.lines
            if line.latency_ns and (line.syscall in READS or line.syscall in FAMILIES)
        )


def upstreams(profile: ProcessProfile) -> list[Upstream]:
    """Those that something was sent to; where that is not seen, that were waited for."""
    other = misnamed(profile.process)
    by_peer: dict[str, list[Descriptor]] = {}
    for one in profile.outgoing():
        if one.bytes_out or (one.bytes_out is None and one.wait_ns + one.polled_ns):
            is_other = other is not None and (one.fd, one.kind) in other.rows
            by_peer.setdefault(other.peer if other and is_other else one.peer, []).append(one)
    return [
        Upstream(
            peer,
            tuple(rows),
            lines_on(profile, rows),
            other.calls if other and peer == other.peer else None,
        )
        for peer, rows in by_peer.items()
    ]


def is_client(profile: ProcessProfile) -> bool:
    """It accepts no connections, and all that it has it has opened itself: it serves nobody."""
    if profile.listening_ports() or profile.total.accepts.calls:
        return False
    outgoing = {(one.fd, one.kind) for one in profile.outgoing()}
    connections = [one for one in profile.connections() if one.kind == "tcp"]
    return bool(connections) and all((one.fd, one.kind) in outgoing for one in connections)


def reconnects(profile: ProcessProfile) -> dict[str, int]:
    """How many connections to each peer were made while it was traced, in place of ones that were
    closed: no more than have gone since."""
    sockets = profile.process.sockets
    if sockets is None:
        return {}
    still = {one.peer: one.connections for one in sockets.connected}
    all_told = len(still) < MOST_PEERS
    opened = Counter[str]()
    for row in profile.outgoing():
        opened[row.peer] += row.opened
    made = {
        one.peer: min(one.connect_ns.count, opened[one.peer] - still.get(one.peer, 0))
        for one in profile.process.upstreams
        if one.connect_ns and (all_told or one.peer in still)
    }
    return {peer: times for peer, times in made.items() if times > 0}


def connecting_lines(profile: ProcessProfile, peer: str) -> tuple[ToldLine, ...]:
    """Where connections to it are made, for those whose waits have no stack (greenlets,
    callbacks); () if they were made before the trace, or others' cannot be told from them."""
    made = [one for one in profile.process.lines if one.syscall in CONNECTS and one.stack]
    its = lines_on(profile, [one for one in profile.outgoing() if one.peer == peer])
    known = [one for one in made if one in its]
    return calling_lines(known or (made if len(profile.process.upstreams) == 1 else ()))


def lines_on(profile: ProcessProfile, rows: Iterable[Descriptor]) -> tuple[Line, ...]:
    """The slow calls on these descriptors, and polls of one of them alone."""
    wanted = {(one.fd, one.kind) for one in rows}
    polled = {fd for fd, _ in wanted}
    return tuple(
        one
        for one in profile.process.lines
        if (one.fd, one.kind) in wanted
        or (one.kind == "" and one.syscall in FAMILIES and one.fd in polled)
    )

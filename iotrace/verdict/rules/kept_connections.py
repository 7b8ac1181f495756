# SPDX-License-Identifier: Apache-2.0
"""Connections that are made, used once and kept open: descriptors run out in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.model import Descriptor
from iotrace.report.requests import Upstream
from iotrace.report.surroundings import Connected
from iotrace.verdict.descriptor_limit import until_limit
from iotrace.verdict.left_clients import left_by_clients
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import calling_lines, waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.upstreams import lines_on
from iotrace.vocabulary.calls import CONNECTS

LEAST_MADE = 20
"""Connections to one peer while it was traced: a pool that fills up makes fewer,"""
KEPT_SHARE = 0.9
"""and has used all of them at once: here so many are open still,"""
IN_USE_SHARE = 0.3
"""and no more than this part of those that are open was ever in use at the same time;"""
LEAST_CLOSED_BY_PEER = 20
"""or the peer has closed so many that this process has not."""
LEAST_UNUSED, LEAST_IN_VAIN = 20, 5
"""Or so many are open that nothing went over, while so many more were made, and closed again."""


def _kept(profile: ProcessProfile) -> Iterator[Hit]:
    left_by_their_clients = left_by_clients(profile)
    if left_by_their_clients is not None:
        yield left_by_their_clients
    sockets = profile.process.sockets
    upstreams = {one.peer: one for one in profile.process.upstreams}
    for peer in sockets.connected if sockets else ():
        upstream = upstreams.get(peer.peer)
        made = upstream.connect_ns.count if upstream and upstream.connect_ns else 0
        left = peer.closed_by_peer >= LEAST_CLOSED_BY_PEER
        rows = [one for one in profile.outgoing() if one.peer == peer.peer]
        # A number may have been something else before: no more than were made.
        closed = min(made, sum(one.opened - 1 for one in rows))
        if left or (upstream and _only_made(upstream, peer, made - closed)):
            kept = max(0, made - closed)
            in_use = upstream.in_flight_max if upstream else None
            yield _hit(profile, peer, rows, made, kept, in_use)
        elif peer.connections - len(rows) >= LEAST_UNUSED and closed >= LEAST_IN_VAIN:
            yield _unused_hit(profile, peer, rows, closed)


def _only_made(upstream: Upstream, peer: Connected, kept: int) -> bool:
    return (
        kept >= LEAST_MADE
        and peer.connections >= KEPT_SHARE * kept
        and upstream.in_flight_max <= IN_USE_SHARE * peer.connections
    )


def _hit(
    profile: ProcessProfile,
    peer: Connected,
    rows: Sequence[Descriptor],
    made: int,
    kept: int,
    in_use: int | None,
) -> Hit:
    evidence: dict[str, float | int | str] = {
        "peer": peer.peer,
        "open_connections": peer.connections,
        "made_while_traced": made,
    }
    if in_use is not None:
        evidence["in_use_at_once"] = in_use
    if peer.closed_by_peer:
        evidence["closed_by_peer"] = peer.closed_by_peer
    limit, descriptors = until_limit(profile, profile.per_second(kept))
    evidence |= descriptors
    lines = [
        one
        for one in profile.process.lines
        if one in lines_on(profile, rows) or one.syscall in CONNECTS
    ]
    made_text = f": {made:,} were made in this time, and none or hardly one was closed"
    left = f", {peer.closed_by_peer:,} of them closed by the peer (CLOSE_WAIT)"
    return Hit(
        evidence,
        None,
        severity="medium",
        lines=waiting_lines(lines, profile.process) or calling_lines(lines),
        title=f"Leak of sockets: {plural(peer.connections, 'connection')} to {peer.peer} "
        f"are open and never closed{left if peer.closed_by_peer else ''}"
        f"{made_text if made >= LEAST_MADE else ''}{limit}",
    )


def _unused_hit(
    profile: ProcessProfile, peer: Connected, rows: Sequence[Descriptor], closed: int
) -> Hit:
    unused = peer.connections - len(rows)
    lines = lines_on(profile, rows)
    return Hit(
        {"peer": peer.peer, "open_connections": peer.connections, "unused": unused,
         "made_and_closed": closed},
        None,
        severity="medium",
        lines=waiting_lines(lines, profile.process),
        title=f"Leak of sockets: {plural(unused, 'connection')} to {peer.peer} are open, and none "
        f"of them was used in this time, while {closed:,} others were made, and closed again",
        advice="What has opened them neither uses nor closes them; new ones are made in their "
        "place, which the service may end at once if it allows no more (PostgreSQL: too many "
        "clients already; pg_stat_activity lists them). Close each where it was opened (with "
        "closing(...), close() in finally), or have a pool that all share.",
    )  # fmt: skip


def _of_its_threads(cause: Hit, symptom: Hit) -> bool:
    """Where half of the symptom's threads serve clients that have gone."""
    threads = int(cause.evidence.get("threads", 0))
    return 0 < int(symptom.evidence.get("threads", 0)) <= 2 * threads


LEAKED = Rule(
    "IO161",
    "Leak of sockets: connections are opened and never closed",
    "Each keeps a descriptor until the limit is reached (EMFILE: too many open files). Make one "
    "client (ClientSession, httpx.Client, requests.Session) when the program starts, use it for "
    "all requests, and close answers and clients: async with, with, close() in finally, also "
    "after timeouts.",
    _kept,
    explains={"IO117": _of_its_threads, "IO200": _of_its_threads},
)

# SPDX-License-Identifier: Apache-2.0
"""Requests and questions from before the trace that are not answered: no call tells of them.

Of what was sent before the trace only the kernel knows, connection by connection. Only those count
on which nothing has ever come back: a connection that has had answers may be idle.
"""

from __future__ import annotations

from iotrace.report.model import OneSided
from iotrace.verdict.process_profile import ProcessProfile, port_of
from iotrace.verdict.stuck import LEAST_NS
from iotrace.verdict.unnamed_selects import MOST_QUESTION_SEGMENTS

LEAST_PAIRS = 2
"""Connections of clients, and as many to a peer: one of each may be there by chance."""
ASKED_WITHIN_NS = 500_000_000
"""What a request makes its worker ask is asked so soon after it came, the import of a client and a
wait for the CPU included (0.2 s were seen, on a busy machine)."""


def unanswered_requests(profile: ProcessProfile) -> tuple[OneSided, ...]:
    """Connections of clients whose first request was read and has no answer, by listener: where
    others have got answers meanwhile, for what is sent there is answered; or where a peer was asked
    on as many connections just then, which tells that each has made one ask the other."""
    answered = {port_of(row.listener) for row in profile.process.requests if row.latency_ns}
    mute = mute_peers(profile)
    return tuple(
        one
        for one in _one_sided(profile)
        if one.accepted
        and (port_of(one.address) in answered or any(_asked_for(peer, one) for peer in mute))
    )


def _asked_for(peer: OneSided, clients: OneSided) -> bool:
    return (
        peer.connections == clients.connections >= LEAST_PAIRS
        and 0 <= clients.silent_ns - peer.silent_ns <= ASKED_WITHIN_NS
    )


def mute_peers(profile: ProcessProfile) -> tuple[OneSided, ...]:
    """Peers that were asked and have never said a word since, the latest asked last."""
    return tuple(
        one
        for one in _one_sided(profile)
        if not one.accepted and one.segments <= MOST_QUESTION_SEGMENTS
    )


def _one_sided(profile: ProcessProfile) -> list[OneSided]:
    sockets = profile.process.sockets
    return [one for one in (sockets.one_sided if sockets else ()) if one.silent_ns >= LEAST_NS]

# SPDX-License-Identifier: Apache-2.0
"""Segments that were sent again, and connects that were answered at the second try only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Frame, Line
from iotrace.verdict.histograms import summed
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always, covers
from iotrace.verdict.upstream_time import answered_ns
from iotrace.verdict.upstreams import lines_on, upstreams
from iotrace.vocabulary.calls import CONNECTS, FAMILIES

RETRY_NS = 800_000_000
"""A bucket from here on holds 1 s: after so long an unanswered SYN is sent again (then 3, 7 s)."""
LEAST_RETRIED = 2
"""One SYN may be lost on any network."""
LEAST_RETRANSMITS = 10
"""So may some segments, and those that are sent to probe for a loss count as well (RFC 8985)."""
RETRANSMITS_PER_SEND = 0.01
"""Each call sends one segment at least: from about a hundredth on TCP sends markedly slower."""
RETRANSMIT_NS = 200_000_000
"""The least that is waited before a segment is sent again, unless later ones arrive (TCP_RTO_MIN).
"""
LEAST_NS = 100_000_000
"""Waited for the rest of answers, in all: a tenth of a second is what people begin to notice."""
LEAST_EARLY = 20
"""After one that is lost all others of its window come early, of a new connection ten in all
(TCP_INIT_CWND): so many are of three losses there."""
EARLY_SHARE = 0.02
"""Of the segments that came in: those before one that was missing."""
TRANSFER_SHARE = 0.5
"""Of the wait for a peer, after its answers have begun: else the peer itself is what takes long."""
_CONNECT_FUNCTIONS = ("create_connection", "connect", "_connect", "_new_conn")


def _retried(profile: ProcessProfile) -> Iterator[Hit]:
    lines = [one for one in profile.process.lines if one.latency_ns and _connects(one)]
    waits = summed(one.latency_ns.histogram for one in lines if one.latency_ns)
    retried = [(low, high, count) for low, high, count in waits if low >= RETRY_NS]
    number = sum(count for _, _, count in retried)
    if number < LEAST_RETRIED:
        return
    longest = max(one.max_ns for one in lines)
    cost = sum(min(low, longest) * count for low, _, count in retried)
    slow = [one for one in lines if one.max_ns >= RETRY_NS]
    peer = _peer_of(slow, profile)
    yield Hit(
        {
            "slow_connects": number,
            "longest_ns": longest,
            "waited_ns": cost,
            **({"peer": peer} if peer else {}),
        },
        cost,
        lines=waiting_lines(slow, profile.process),
        title=f"{plural(number, 'connect')}{f' to {peer}' if peer else ''} took 1 s or more "
        f"({duration(longest)} at most): SYN packets are dropped and sent again",
        advice="A SYN that gets no answer is sent again after 1 s, 3 s, 7 s. Either the listener "
        "there has a full accept queue (on that host: `nstat -az TcpExtListenDrops`, `ss -ltn`: "
        "Recv-Q against Send-Q; raise its backlog, let it accept sooner), or packets are lost or "
        "filtered on the way. Keep connections open, and set a connect timeout. Of a name's "
        "addresses, each one that never answers costs its timeout first (IPv6 that leads nowhere).",
    )


def _peer_of(lines: Sequence[Line], profile: ProcessProfile) -> str:
    """The one that most of them were to, as far as descriptors are not used for others since."""
    fds = {one.fd for one in lines}
    peers = [one.peer for one in profile.outgoing() if one.fd in fds]
    slow = [
        one.peer
        for one in profile.process.descriptors
        if one.fd in fds and one.peer and one.wait_ns + one.polled_ns >= RETRY_NS
    ]
    waiting = [
        one.in_call.peer
        for one in profile.process.threads
        if one.in_call and one.in_call.peer and _in_connect(one.in_call.stack)
    ]
    found = slow or peers or waiting
    return max(found, key=found.count) if found else ""


def _connects(one: Line) -> bool:
    if one.syscall in CONNECTS:
        return True
    return one.syscall in FAMILIES and one.kind == "" and _in_connect(one.stack)


def _in_connect(stack: Sequence[Frame]) -> bool:
    return any(frame.plain_function in _CONNECT_FUNCTIONS for frame in stack[:1])


def _retransmitted(profile: ProcessProfile) -> Iterator[Hit]:
    rows = [one for one in profile.process.descriptors if one.retransmits]
    again = sum(one.retransmits or 0 for one in rows)
    calls = sum(one.calls or 0 for one in rows)
    if again < LEAST_RETRANSMITS or again < RETRANSMITS_PER_SEND * calls:
        return
    worst = max(rows, key=lambda one: one.retransmits or 0)
    # A loop's waits are not those of one connection: it is not known who waited, but as many
    # connections can't have lost more than the time that they were traced for.
    waited = sum(one.wait_ns + one.polled_ns for one in rows)
    to = f" to {worst.peer}" if worst.peer else ""
    yield Hit(
        {
            "retransmits": again,
            "connections": len(rows),
            "most_to": worst.peer,
            **({"waited_on_them_ns": waited} if waited else {}),
        },
        min(again * RETRANSMIT_NS, waited or profile.wall_ns * len(rows)),
        fd=worst.fd if len(rows) == 1 else None,
        lines=waiting_lines(lines_on(profile, rows), profile.process),
        title=f"Packets are lost: TCP sent {plural(again, 'segment')}{to} again",
    )


def _lost_on_the_way_here(profile: ProcessProfile) -> Iterator[Hit]:
    """Answers that begin in time and come with gaps: what is missing has to be sent again."""
    for peer in upstreams(profile):
        early = sum(one.out_of_order or 0 for one in peer.rows)
        came = sum(one.segments_in or 0 for one in peer.rows)
        if early < LEAST_EARLY or early < EARLY_SHARE * came:
            continue
        answers = [one for one in profile.process.upstreams if one.peer == peer.peer]
        until_begun = sum(map(answered_ns, answers))
        in_transfer = peer.waited_ns - until_begun
        if not answers or in_transfer < max(LEAST_NS, TRANSFER_SHARE * peer.waited_ns):
            continue
        yield Hit(
            {
                "peer": peer.peer,
                "out_of_order": early,
                "segments": came,
                "waited_in_transfers_ns": in_transfer,
            },
            in_transfer,
            fd=peer.rows[0].fd if len(peer.rows) == 1 else None,
            lines=waiting_lines(peer.lines, profile.process),
            title=f"Packets from {peer.peer} are lost or overtaken on the way here: {early:,} of "
            f"{plural(came, 'segment')} came before one that was missing",
        )


def _follows(cause: Hit, symptom: Hit) -> bool:
    """Of the same peer, where both name one."""
    peer = cause.evidence.get("peer")
    return peer in (None, symptom.evidence.get("peer")) and covers(cause, symptom)


def _to_that_peer(cause: Hit, symptom: Hit) -> bool:
    """What is lost on the way there fills the socket's buffer as well as a peer that reads slowly,
    whose window would be closed: IO156 tells of those."""
    return cause.evidence.get("most_to") == symptom.evidence.get("slowest_peer") is not None


def _lost(profile: ProcessProfile) -> Iterator[Hit]:
    yield from _retried(profile)
    yield from _retransmitted(profile)
    yield from _lost_on_the_way_here(profile)


LOST = Rule(
    "IO157",
    "Packets are lost: TCP sends segments again",
    "A segment that is lost is sent again once later ones tell of the gap; of the last ones of a "
    "message nothing tells, and TCP waits 200 ms or more. Look at the path: `ip -s link` (drops, "
    "errors), `tc -s qdisc`, `nstat -az | grep -i retrans`, `ss -ti` on both hosts, MTU, a rate "
    "limit, firewalls; a host that is overloaded drops, too.",
    _lost,
    explains={"IO118": covers, "IO119": _follows, "IO105": always, "IO111": _to_that_peer},
)

# SPDX-License-Identifier: Apache-2.0
"""All connections to a peer are always in use, and requests queue for one inside the program."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.report.requests import Upstream
from iotrace.report.times import Durations
from iotrace.verdict.histograms import total_ns
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, covers
from iotrace.verdict.upstreams import lines_on

LEAST_CONNECTIONS = 2
LEAST_CALLS = 10
BUSY_SHARE = 0.8
"""Of the time of all connections, with a query in flight or an answer that is yet to be read."""
LATENCY_TIMES = 2.0
"""A request takes so many times what the peer does: the rest of it is a wait for a connection."""
WAITING_TIMES = 1.5
"""Or so many times as many requests as there are connections were owed an answer at the end."""


def _in_use(profile: ProcessProfile) -> Iterator[Hit]:
    for upstream in profile.process.upstreams:
        rows = [one for one in profile.process.descriptors if one.peer == upstream.peer]
        connections = len(rows)
        theirs = upstream.theirs_ns
        if connections < LEAST_CONNECTIONS or theirs is None or theirs.count < LEAST_CALLS:
            continue
        unread_ns = sum(upstream.pickup_states_ns.values())
        in_flight = (total_ns(theirs) + unread_ns) / profile.wall_ns
        if in_flight < BUSY_SHARE * connections or not _queue(profile, theirs, connections):
            continue
        yield _hit(profile, upstream, theirs, connections, in_flight)


def _queue(profile: ProcessProfile, theirs: Durations, connections: int) -> bool:
    """Whether requests wait for more than the peer's answer."""
    served = [one for one in profile.process.requests if one.exchanges or one.unanswered]
    late_ns = LATENCY_TIMES * theirs.p50
    late = any(one.latency_ns and one.latency_ns.p50 >= late_ns for one in served)
    return late or sum(one.unanswered for one in served) >= WAITING_TIMES * connections


def _hit(
    profile: ProcessProfile, upstream: Upstream, theirs: Durations, connections: int, busy: float
) -> Hit:
    latencies = [one.latency_ns.p50 for one in profile.process.requests if one.latency_ns]
    owed = sum(one.unanswered for one in profile.process.requests)
    evidence: dict[str, float | int | str] = {
        "peer": upstream.peer,
        "connections": connections,
        "in_flight_mean": round(busy, 1),
        "its_answer_p50_ns": theirs.p50,
        "requests_owed": owed,
    }
    took = ""
    if latencies:
        evidence["request_p50_ns"] = max(latencies)
        took = f"; its answers take {duration(theirs.p50)}, requests {duration(max(latencies))}"
    rows = [one for one in profile.process.descriptors if one.peer == upstream.peer]
    return Hit(
        evidence,
        profile.wall_ns,
        severity="high",
        lines=waiting_lines(lines_on(profile, rows), profile.process),
        title=f"Connection pool full: all {connections} connections to {upstream.peer} are always "
        f"in use, requests queue for one{took}",
    )


IN_USE = Rule(
    "IO147",
    "Connection pool full: all connections to a peer are always in use",
    "Raise the limit of connections (aiohttp: TCPConnector(limit_per_host=...); httpx: "
    "Limits(max_connections=...); asyncpg, psycopg_pool: max_size) if the peer can take more, or "
    "ask it less: cache, batch. Put a timeout on the wait for a connection.",
    _in_use,
    explains={"IO105": always, "IO119": covers, "IO165": always, "IO185": always},
    rank=Rank.STUCK,
    least=Detail.SOCKETS,
)

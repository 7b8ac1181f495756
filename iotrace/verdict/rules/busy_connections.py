# SPDX-License-Identifier: Apache-2.0
"""All connections to a peer are always in use, and requests queue for one inside the program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from iotrace.report.detail import Detail
from iotrace.report.requests import Upstream
from iotrace.report.times import Durations
from iotrace.verdict.histograms import total_ns
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, covers
from iotrace.verdict.upstream_time import answered_ns
from iotrace.verdict.upstreams import connecting_lines, lines_on

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
        theirs = upstream.theirs_ns
        if len(rows) < LEAST_CONNECTIONS or theirs is None or theirs.count < LEAST_CALLS:
            continue
        unread_ns = sum(upstream.pickup_states_ns.values()) + (upstream.oldest_unanswered_ns or 0)
        in_flight = (answered_ns(upstream) + unread_ns) / profile.wall_ns
        limit = upstream.in_flight_max
        if in_flight >= BUSY_SHARE * len(rows) and _queue(profile, theirs, len(rows)):
            yield _hit(profile, upstream, theirs, len(rows), in_flight)
        elif (
            in_flight >= BUSY_SHARE * limit
            and LEAST_CONNECTIONS <= limit < len(rows)
            and _under_way(profile) >= WAITING_TIMES * limit
            and _queue(profile, theirs, limit)
        ):
            hit = _hit(profile, upstream, theirs, limit, in_flight)
            evidence = hit.evidence | {"connections": len(rows), "at_once_max": limit}
            title = f"{_limit(limit, upstream)}{_took(profile, theirs)}"
            yield replace(hit, evidence=evidence, title=title)


def _under_way(profile: ProcessProfile) -> float:
    """Requests at a time, on the average: where each asks one thing after the other, as many as
    there are calls."""
    taken = [total_ns(one.latency_ns) for one in profile.process.requests if one.latency_ns]
    return sum(taken) / profile.wall_ns


def _limit(limit: int, upstream: Upstream) -> str:
    return (
        f"No more than {limit} calls to {upstream.peer} are made at once, and so many are always "
        "under way: most likely a pool of connections or threads, or a semaphore, has that limit, "
        "and requests queue for it"
    )


def _took(profile: ProcessProfile, theirs: Durations) -> str:
    latencies = [one.latency_ns.p50 for one in profile.process.requests if one.latency_ns]
    if not latencies:
        return ""
    return f"; its answers take {duration(theirs.p50)}, requests {duration(max(latencies))}"


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
    if latencies:
        evidence["request_p50_ns"] = max(latencies)
    rows = [one for one in profile.process.descriptors if one.peer == upstream.peer]
    return Hit(
        evidence,
        profile.wall_ns,
        severity="high",
        lines=waiting_lines(lines_on(profile, rows), profile.process)
        or connecting_lines(profile, upstream.peer),
        title=f"Connection pool full: all {connections} connections to {upstream.peer} are always "
        f"in use, requests queue for one{_took(profile, theirs)}",
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

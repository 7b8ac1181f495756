# SPDX-License-Identifier: Apache-2.0
"""Calls of another process that are quick each, and so many that they take most of the time."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.requests import Upstream
from iotrace.verdict.number_formats import duration, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import busy_lines, waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always
from iotrace.verdict.upstreams import lines_on, total_ns
from iotrace.verdict.work_sources import mostly_for_work

LEAST_CALLS = 500
QUICK_NS = 2_000_000
"""Half of the answers take no longer: the peer is quick, the number is the matter. Slow ones are
IO119's."""
WAITED_SHARE = 0.3
"""Of the time traced, waiting for these answers and until they were read."""
CALLS_PER_REQUEST = 20.0
"""Of a process that serves: a loop over rows that asks for each."""
CALLS_PER_SECOND = 500
"""Of one that serves nobody."""
_MANAGER = "/pymp-"
"""In the path of the socket that a multiprocessing.Manager listens on."""


def _round_trips(profile: ProcessProfile) -> Iterator[Hit]:
    for upstream in profile.process.upstreams:
        theirs = upstream.theirs_ns
        if theirs is None or theirs.count < LEAST_CALLS or theirs.p50 > QUICK_NS:
            continue
        waited = total_ns(theirs) + sum(upstream.pickup_states_ns.values())
        if waited >= WAITED_SHARE * profile.wall_ns and _is_many(theirs.count, profile):
            rows = [one for one in profile.process.descriptors if one.peer == upstream.peer]
            lines = lines_on(profile, rows)
            if not mostly_for_work(lines):
                slow = waiting_lines(lines, profile.process)
                yield _hit(upstream, waited, busy_lines(profile.process) or slow, profile)


def _is_many(calls: int, profile: ProcessProfile) -> bool:
    served = _served(profile)
    if served:
        return calls >= CALLS_PER_REQUEST * served
    return profile.per_second(calls) >= CALLS_PER_SECOND


def _served(profile: ProcessProfile) -> int:
    return sum(one.exchanges for one in profile.process.requests)


def _hit(upstream: Upstream, waited: int, lines: tuple[str, ...], profile: ProcessProfile) -> Hit:
    assert upstream.theirs_ns
    calls, served = upstream.theirs_ns.count, _served(profile)
    manager = _MANAGER in upstream.peer
    evidence: dict[str, float | int | str] = {
        "peer": upstream.peer,
        "round_trips": calls,
        "round_trips_per_second": round(profile.per_second(calls)),
        "answer_p50_ns": upstream.theirs_ns.p50,
        "waited_ns": waited,
    }
    each = ""
    if served:
        evidence["round_trips_per_request"] = round(calls / served, 1)
        each = f", {calls / served:,.0f} for each request"
    of = "the process of a multiprocessing.Manager" if manager else upstream.peer
    return Hit(
        evidence,
        waited,
        severity="medium",
        lines=lines,
        title=f"Many small round trips: {calls:,} calls of {of}{each}, "
        f"{duration(upstream.theirs_ns.p50)} each, are waited for {share(waited, profile.wall_ns)} "
        "of the time",
        advice=_PROXIES if manager else "",
    )


def _of_the_same_peer(cause: Hit, symptom: Hit) -> bool:
    return cause.evidence["peer"] == symptom.evidence.get("peer")


_PROXIES = (
    "Each access to an object of a multiprocessing.Manager asks its one process, over a socket, "
    "and all workers stand in line there. Read what is needed once (dict(proxy)), work on that, "
    "and give back the results in one call (proxy.update(...), or the return values of a pool's "
    "map); for numbers use multiprocessing.Value, Array or shared_memory, which need no process."
)
MANY = Rule(
    "IO162",
    "Many small round trips to another process take most of the time",
    "Ask for more at once: one query with IN or a JOIN in place of one for each row (an ORM: "
    "select_related, selectinload), executemany, MGET or a pipeline of Redis, a batch call; keep "
    "what does not change. A peer nearer by helps little.",
    _round_trips,
    explains={"IO119": _of_the_same_peer, "IO105": always},
)

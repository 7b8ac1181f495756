# SPDX-License-Identifier: Apache-2.0
"""A thread for each connection, past the point where that is cheap."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rule, covers

MANY_ALIVE = 150
"""At a time, on average."""
MANY_BORN_PER_SECOND = 200
COST_SHARE = 0.05
"""Of the time traced, that the threads wait for a CPU or for the GIL."""


def _too_many(profile: ProcessProfile) -> Iterator[Hit]:
    model = profile.process.model
    if model is None or model.shape not in ("thread per connection", "threads"):
        return
    readers = [one for tid, one in profile.threads.items() if profile.styles[tid].role == "reader"]
    rows = [one for one in profile.process.threads if one.tid != profile.process.pid]
    born = sum(
        one.count
        for one in rows
        if (one.started_ns > profile.process.started_ns or not one.tid)
        and profile.styles[one.tid].role == "reader"
    )
    alive = sum(one.lifetime_ns for one in rows) / profile.wall_ns
    if alive < MANY_ALIVE and profile.per_second(born) < MANY_BORN_PER_SECOND:
        return
    crowded = alive >= MANY_ALIVE
    # Few at a time stand in line as those of a pool would: behind other programs, for one.
    elsewhere = not crowded and profile.waits_for_others
    runq = 0 if elsewhere else sum(one.runq_ns for one in readers)
    lock = sum(one.gil.wait_ns for one in readers)
    if runq + lock < COST_SHARE * profile.wall_ns:
        return
    switches = sum(one.voluntary for one in readers)
    reads = sum(one.reads.ok for one in readers)
    evidence: dict[str, float | int | str] = {
        "threads_alive": round(alive),
        "threads_born": born,
        "born_per_second": round(profile.per_second(born)),
        "runq_ns": runq,
        "gil_wait_ns": lock,
    }
    if profile.detail is Detail.FULL:
        evidence["switches_per_read"] = round(switches / max(1, reads), 2)
    if crowded:
        yield Hit(evidence, runq + lock)
    else:
        yield Hit(evidence, runq + lock, severity="low", title=_BORN, advice=_REUSE)


_BORN = "A new thread for each connection: so many are started that it costs time"
_REUSE = (
    "Keep connections alive instead of one per request (HTTP/1.1: protocol_version, a reverse "
    "proxy's keepalive), or hand them to threads that exist already (ThreadPoolExecutor behind the "
    "acceptor). Few threads are alive at a time: what they wait for, a pool's would as well, but "
    "for their start."
)


TOO_MANY = Rule(
    "IO114",
    "A thread per connection: more threads than pay off",
    "Serve with a bounded pool (ThreadPoolExecutor behind the acceptor), keep connections alive "
    "instead of one per request, or use an event loop for many idle connections.",
    _too_many,
    explains={"IO112": covers, "IO113": covers},
    least=Detail.LIGHT,
)

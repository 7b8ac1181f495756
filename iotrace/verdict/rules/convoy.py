# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for one service in turn, because each keeps a lock there while it asks another:
a call within a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from iotrace.report.requests import Upstream
from iotrace.report.stacks import Line
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always
from iotrace.verdict.upstream_time import answered_ns
from iotrace.verdict.upstreams import lines_on

LEAST_AT_ONCE = 3
"""Calls in flight to the service that is waited for."""
OCCUPIED_SHARE = 0.6
"""Of the time traced, that one call to the other service is in flight: never two, seldom none."""
WAITED_TIMES = 1.0
"""Of the time traced, that all threads together wait for the first: one at least at any time."""


def _convoys(profile: ProcessProfile) -> Iterator[Hit]:
    peers = [one for one in profile.process.upstreams if one.calls]
    for kept, asked in permutations(peers, 2):
        if kept.in_flight_max < LEAST_AT_ONCE or asked.in_flight_max != 1:
            continue
        occupied = _in_flight_ns(asked)
        if occupied < OCCUPIED_SHARE * profile.wall_ns or asked.calls < LEAST_AT_ONCE:
            continue
        waits, calls = _lines(kept, profile), _lines(asked, profile)
        waits = [one for one in waits if _functions([one]) & _functions(calls)]
        waited = sum(one.wait_ns for one in waits)
        if waited >= WAITED_TIMES * profile.wall_ns:
            yield _hit(kept, asked, occupied, waits, calls, profile)


def _in_flight_ns(one: Upstream) -> int:
    return answered_ns(one) + (one.oldest_unanswered_ns or 0)


def _lines(one: Upstream, profile: ProcessProfile) -> list[Line]:
    rows = [row for row in profile.outgoing() if row.peer == one.peer]
    return [line for line in lines_on(profile, rows) if line.wait_ns and line.stack]


def _functions(lines: Sequence[Line]) -> set[tuple[str, str]]:
    """The program's own functions that these calls were made from."""
    return {(one.own_stack[0].file, one.own_stack[0].function) for one in lines}


def _hit(
    kept: Upstream,
    asked: Upstream,
    occupied: int,
    waits: Sequence[Line],
    calls: Sequence[Line],
    profile: ProcessProfile,
) -> Hit:
    waited = sum(one.wait_ns for one in waits)
    calls = [one for one in calls if _functions([one]) & _functions(waits)]
    return Hit(
        {
            "peer": kept.peer,
            "waited_ns": waited,
            "at_once": kept.in_flight_max,
            "meanwhile_asked": asked.peer,
            "in_flight_there_ns": occupied,
        },
        waited,
        severity="high",
        lines=(
            *waiting_lines(waits, profile.process)[:1],
            *waiting_lines(calls, profile.process)[:1],
        ),
        title=f"Up to {kept.in_flight_max} calls to {kept.peer} wait in turn, while one at a time "
        f"asks {asked.peer}: a lock (of a row, a table) is kept there during that call",
    )


def _same_peer(cause: Hit, symptom: Hit) -> bool:
    return symptom.evidence.get("peer") in (
        cause.evidence["peer"],
        cause.evidence["meanwhile_asked"],
    )


QUEUED = Rule(
    "IO177",
    "Calls to a service wait in turn: a lock there is kept for long",
    "Do not ask another service within a transaction that has locked something: ask before it "
    "begins, or commit first; keep SELECT ... FOR UPDATE and the change close together; SKIP "
    "LOCKED or NOWAIT where a queue is meant. Who waits for whom: MySQL: SHOW ENGINE INNODB "
    "STATUS, information_schema.innodb_trx; PostgreSQL: pg_locks, pg_blocking_pids().",
    _convoys,
    explains={
        "IO105": always,
        "IO119": _same_peer,
        "IO140": _same_peer,
        "IO142": always,
        "IO185": always,
    },
    rank=Rank.STUCK,
)

# SPDX-License-Identifier: Apache-2.0
"""A program that hands one thing after the other to a peer, and waits for the answer to each.

It gets as many done as there are round trips, however idle both sides are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from iotrace.report.requests import Upstream
from iotrace.report.stacks import Frame
from iotrace.verdict.frames import in_package, library_frames
from iotrace.verdict.number_formats import duration, figure, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.time_places import TimePlace, is_called_back
from iotrace.verdict.told_lines import ToldLine
from iotrace.verdict.upstream_time import asked_ns
from iotrace.verdict.upstreams import lines_on
from iotrace.verdict.waiting_tasks import LEAST_LOOKS, WaitingTasks, mean_of, task_lines

LEAST_ROUNDS = 30
LEAST_ROUND_NS = 5_000_000
"""Half of the answers take so long: many quick ones are IO162's."""
BUSY_SHARE = 0.8
"""Of the time traced, a call is under way."""
AT_LOOKS = 0.5
"""Tasks that wait there, on the average of the looks at them: one task does it all along."""
OF_THE_WAIT = 0.8
"""Of what is waited for that peer, by the lines that hand something over."""
_HANDS_OVER = re.compile(
    r"^(?!a?(?:create|post|send_keys|delete_cookies?|create_(?:connection|session|\w*completion))$)"
    r"a?(?:\w+_)?(?:publish|send|produce|put|insert|save|upload|store|create|update|upsert|delete"
    r"|remove|add|push|post|write|append|incr|[hlmsxz]?set|[lrsxz](?:push|add))"
    r"(?:_(?!receive|recv)\w+|all|many|mail|message|nx|ex|x|by)?$"
)
"""Functions of clients that give the peer something and want to know that it has it: no program
waits for its next job in one of these. What is created, or posted, and no more is said, may well be
a question (a model's completion, an HTTP API); some names are of browsers, or of connections."""


def round_by_round(profile: ProcessProfile) -> TimePlace | None:
    """The line that hands things over in that way; None: there is none."""
    for one in profile.process.upstreams:
        times = one.theirs_ns
        if (
            one.in_flight_max == 1
            and times is not None
            and times.count >= LEAST_ROUNDS
            and times.p50 >= LEAST_ROUND_NS
            and asked_ns(one) >= BUSY_SHARE * profile.wall_ns > 0
        ):
            lines = _tasks(profile) or _lines(one, profile)
            if lines:
                return _place(one, times.p50, lines, profile)
    return None


def _place(
    one: Upstream, each_ns: int, lines: tuple[ToldLine, ...], profile: ProcessProfile
) -> TimePlace:
    rate = figure(profile.per_second(one.calls))
    return TimePlace(
        f"for {share(asked_ns(one), profile.wall_ns)} of the time it waited for answers of "
        f"{one.peer}, one call at a time: what it hands over goes there one after the other, each "
        f"only when the one before is answered, {duration(each_ns)} later. {one.calls:,} round "
        f"trips, {rate} a second.",
        profile,
        lines,
        {
            "peer": one.peer,
            "round_trips": one.calls,
            "round_trips_per_second": round(profile.per_second(one.calls), 1),
            "answered_p50_ns": each_ns,
        },
        asked_ns(one),
        _TOGETHER,
    )


def _tasks(profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """Where an asyncio task waits until it has been taken."""
    tasks = profile.tasks
    if tasks is None or tasks.looks < LEAST_LOOKS:
        return ()
    found = [
        WaitingTasks(one, Purpose.ANSWER) for one in tasks.rows if one.stack and _gives(one.stack)
    ]
    one_place = len({one.place for one in found}) == 1
    return task_lines(found) if one_place and mean_of(found) >= AT_LOOKS else ()


def _lines(one: Upstream, profile: ProcessProfile) -> tuple[ToldLine, ...]:
    found = lines_on(profile, [row for row in profile.outgoing() if row.peer == one.peer])
    gives = [line for line in found if _gives(line.stack)]
    waited = sum(line.wait_ns for line in gives)
    if not gives or waited < OF_THE_WAIT * sum(line.wait_ns for line in found):
        return ()
    return waiting_lines(gives, profile.process)


def _gives(stack: Sequence[Frame]) -> bool:
    """Whether the program's own code, which no library has called, has called such a function."""
    library = library_frames(stack)
    if not library or len(library) == len(stack) or is_called_back(stack):
        return False
    called = library[-1]
    return in_package(called) and bool(_HANDS_OVER.search(called.plain_function))


_TOGETHER = (
    "No rule found a fault: it may have to know of each one before the next. If not, have several "
    "under way at once, or send many as one. asyncio: gather() or a TaskGroup, with a Semaphore "
    "for a limit; threads: an executor; NATS: publish_async(); Kafka and AMQP: send all, then wait "
    "for the confirmations; databases: executemany, COPY, a pipeline (psycopg, Redis). Here a "
    "quicker machine helps nothing; a way there with less latency does, or a quicker peer."
)

# SPDX-License-Identifier: Apache-2.0
"""A full queue whose consumers wait for another service: asyncio tasks of a program that serves
nobody, so that no request tells who waits."""

from __future__ import annotations

from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit
from iotrace.verdict.upstream_time import answered_ns
from iotrace.verdict.waiting_tasks import mean_of, task_lines, waiting_tasks

ALWAYS_SHARE = 0.8
"""Of the looks, at which a task waits for room in a queue; and of the most calls to the peer that
were in flight at a time, on average: whoever takes from the queue is always busy with those."""
LEAST_ANSWERS = 5
_AWAITED = (Purpose.ANSWER, Purpose.CONNECTION)


def consumers_wait(profile: ProcessProfile) -> Hit | None:
    """None where no queue is full, or nothing tells that its consumers wait for one service."""
    if profile.process.requests or profile.listening_ports() or not profile.process.upstreams:
        return None
    tasks = waiting_tasks(profile)
    putting = [one for one in tasks if one.purpose is Purpose.ROOM]
    waiting = [one for one in tasks if one.purpose in _AWAITED]
    if mean_of(putting) < ALWAYS_SHARE or not waiting:
        return None
    most = max(profile.process.upstreams, key=answered_ns)
    theirs, took = most.theirs_ns, answered_ns(most)
    at_once = took / max(1, profile.wall_ns)
    if (
        theirs is None
        or theirs.count < LEAST_ANSWERS
        or at_once < ALWAYS_SHARE * max(1, min(most.in_flight_max, mean_of(waiting)))
    ):
        return None
    busy = share(int(1000 * at_once), 1000 * max(1, most.in_flight_max))
    return Hit(
        {
            "peer": most.peer,
            "answers": theirs.count,
            "p50_ns": theirs.p50,
            "longest_ns": theirs.max,
            "at_once": most.in_flight_max,
            "at_once_mean": round(at_once, 1),
            "tasks_waiting_for_room": round(mean_of(putting), 1),
        },
        min(took, profile.wall_ns),
        lines=(*task_lines(waiting)[:2], *task_lines(putting)[:1]),
        title=f"A queue is full, and most likely what takes from it waits for {most.peer}: "
        f"{plural(most.in_flight_max, 'call')} at once at most, under way {busy} of the time; its "
        f"answers take {duration(theirs.p50)} typically, {duration(theirs.max)} at most",
        advice="More consumers ask more at once, as far as that service can bear it; else make it "
        "quicker, ask for several things in one call, or cache what it answers. Limit each call by "
        "a timeout. A queue that is full slows its producers down, which may be what is wanted.",
    )

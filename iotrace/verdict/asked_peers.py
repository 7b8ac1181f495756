# SPDX-License-Identifier: Apache-2.0
"""Peers that a program asks all along: it can be no quicker than they are."""

from __future__ import annotations

from iotrace.report.requests import Upstream
from iotrace.verdict.number_formats import share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.time_places import TimePlace, is_awaited, is_called_back
from iotrace.verdict.told_lines import ToldLine
from iotrace.verdict.upstream_time import asked_ns
from iotrace.verdict.upstreams import lines_on
from iotrace.verdict.waiting_tasks import (
    LEAST_LOOKS,
    WaitingTasks,
    mean_of,
    task_lines,
    waiting_tasks,
)

BUSY_SHARE = 0.8
"""Of the most calls that were in flight at a time, on average: nearly always as many as there may
be."""
LEAST_SHARE = 0.6
"""Of what is known of the calls: one that was under way when the trace began is none of them."""
LEAST_ANSWERS = 3
"""A service that takes seconds gives no more in a short trace."""


def asked_all_along(profile: ProcessProfile) -> TimePlace | None:
    """The peer that has a call under way nearly all of the time; None if none has.

    The same is seen of a program that asks for its next job and of one that is held up by a slow
    service. Only where a library has called the function that asks, with a message in hand, is it
    the second.
    """
    shares = [(_busy_share(one, profile), one) for one in profile.process.upstreams]
    busiest, worst = max(shares, key=lambda one: one[0], default=(0.0, None))
    if worst is None:
        return None
    most, asking = worst.in_flight_max, _asking(profile)
    if busiest >= LEAST_SHARE:
        busiest = max(busiest, _seen_share(asking, most, profile))
    if busiest < BUSY_SHARE:
        return None
    how = "one call at a time" if most == 1 else f"{most} calls at a time at most"
    busy = share(int(1000 * busiest), 1000)
    for_busy = f"For {busy} of the time it waited for answers of {worst.peer}, {how}"
    lines = _lines(worst.peer, asking, profile)
    if lines:
        return TimePlace(
            f"{for_busy}, in a function that a library calls for each message or event",
            profile,
            lines,
            {"peer": worst.peer, "calls": worst.calls, "in_flight_max": most},
            asked_ns(worst),
            _IN_TURN,
        )
    return TimePlace(
        f"{for_busy}{_place(asking)}: unless that is how it waits for new work, it gets no more "
        "done than that peer does.",
        profile,
    )


_IN_TURN = (
    "No rule found a fault: it may have no more to do. But what comes meanwhile may have to wait "
    "until that answer is there: most libraries call such functions one after the other. Hand the "
    "slow question to a task or a worker of its own, or let the library call several at a time, "
    "where the order does not matter (python-telegram-bot: concurrent_updates(True), block=False; "
    "consumers: more workers, a larger prefetch); or make the answer quicker."
)


def _busy_share(one: Upstream, profile: ProcessProfile) -> float:
    if one.theirs_ns is None or one.theirs_ns.count < LEAST_ANSWERS or not one.in_flight_max:
        return 0.0
    return min(1.0, asked_ns(one) / (one.in_flight_max * max(1, profile.wall_ns)))


def _seen_share(asking: list[WaitingTasks], most: int, profile: ProcessProfile) -> float:
    """The same by the tasks that are seen to wait for an answer: of a call from before the trace
    nothing else tells."""
    looks = profile.tasks.looks if profile.tasks else 0
    return min(1.0, mean_of(asking) / max(1, most)) if looks >= LEAST_LOOKS else 0.0


def _asking(profile: ProcessProfile) -> list[WaitingTasks]:
    return [one for one in waiting_tasks(profile) if one.purpose is Purpose.ANSWER]


def _place(asking: list[WaitingTasks]) -> str:
    """ " (bot.py:11 report)", where all tasks that wait for an answer do so at one place."""
    places = {one.place for one in asking}
    return f" ({places.pop()})" if len(places) == 1 else ""


def _lines(peer: str, asking: list[WaitingTasks], profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """Where a function that a library has called asks; () if it is not known that one does."""
    if asking and len({one.place for one in asking}) == 1:
        return task_lines(asking) if is_called_back(asking[0].wait.stack) else ()
    rows = [one for one in profile.outgoing() if one.peer == peer]
    lines = [one for one in lines_on(profile, rows) if is_awaited(one, profile)]
    return waiting_lines(lines, profile.process)

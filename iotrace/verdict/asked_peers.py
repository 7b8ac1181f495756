# SPDX-License-Identifier: Apache-2.0
"""Peers that a program asks all along: it can be no quicker than they are."""

from __future__ import annotations

from iotrace.report.requests import Upstream
from iotrace.verdict.number_formats import share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.upstream_time import asked_ns
from iotrace.verdict.waiting_tasks import waiting_tasks

BUSY_SHARE = 0.8
"""Of the most calls that were in flight at a time, on average: nearly always as many as there may
be."""
LEAST_ANSWERS = 3
"""A service that takes seconds gives no more in a short trace; nothing but a sentence is said."""


def asked_all_along(profile: ProcessProfile) -> str:
    """A sentence on the peer that has a call under way nearly all of the time; "" if none has.

    The same is seen of a program that asks for its next job and of one that is held up by a slow
    service: so it is said, and no finding.
    """
    shares = [(_busy_share(one, profile), one) for one in profile.process.upstreams]
    busiest, worst = max(shares, key=lambda one: one[0], default=(0.0, None))
    if worst is None or busiest < BUSY_SHARE:
        return ""
    most = worst.in_flight_max
    how = "one call at a time" if most == 1 else f"{most} calls at a time at most"
    busy = share(int(1000 * busiest), 1000)
    return (
        f"For {busy} of the time it waited for answers of {worst.peer}, {how}{_place(profile)}: "
        "unless that is how it waits for new work, it gets no more done than that peer does."
    )


def _busy_share(one: Upstream, profile: ProcessProfile) -> float:
    if one.theirs_ns is None or one.theirs_ns.count < LEAST_ANSWERS or not one.in_flight_max:
        return 0.0
    return min(1.0, asked_ns(one) / (one.in_flight_max * max(1, profile.wall_ns)))


def _place(profile: ProcessProfile) -> str:
    """ " (bot.py:11 report)", where all tasks that wait for an answer do so at one place."""
    places = {one.place for one in waiting_tasks(profile) if one.purpose is Purpose.ANSWER}
    return f" ({places.pop()})" if len(places) == 1 else ""

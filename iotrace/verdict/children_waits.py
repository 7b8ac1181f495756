# SPDX-License-Identifier: Apache-2.0
"""What the children of a process that waits for them spend their time with: its jobs' peers."""

from __future__ import annotations

from collections import Counter

from iotrace.verdict.histograms import total_ns
from iotrace.verdict.number_formats import share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.time_places import TimePlace

ANSWERS_SHARE = 0.3
"""Of the children's time, until one peer's answers came: it tells more than what they compute."""


def children_place(profile: ProcessProfile) -> TimePlace | None:
    """ "Its 24 children waited 71 % of their time for answers of 10.0.0.9:80."; None where no peer
    has so much of it, or several of its answers were waited for at a time.

    A child that lives for less than half a second has no Python lines that would tell.
    """
    waited = Counter[str]()
    for child in profile.children:
        for one in child.process.upstreams:
            if one.theirs_ns and one.in_flight_max == 1:
                waited[one.peer] += total_ns(one.theirs_ns)
    whole = sum(child.lived_ns for child in profile.children)
    number = sum(child.process.count for child in profile.children)
    for peer, ns in waited.most_common(1):
        if ANSWERS_SHARE * whole <= ns <= whole:
            who, whose = (
                ("Its child", "its") if number == 1 else (f"Its {number:,} children", "their")
            )
            return TimePlace(
                f"{who} waited {share(ns, whole)} of {whose} time for answers of {peer}.",
                profile,
                evidence={"children": number, "peer": peer, "waited_ns": ns},
                cost_ns=ns,
            )
    return None

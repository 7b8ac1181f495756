# SPDX-License-Identifier: Apache-2.0
"""Edge-triggered: what is not read after the edge lies there until the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iotrace.report.event_loops import Loop
from iotrace.report.model import Descriptor
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rule, always

LEFT_NS = 10_000_000
"""Data that lies longer, in a loop that is not busy, was left behind."""
TIMES_LONGER_THAN_BUSY = 2
"""... and longer than any iteration of the loop by this factor, so that none explains it."""
LEAST_COUNT = 3


def _left(profile: ProcessProfile) -> Iterator[Hit]:
    connections = profile.connections()
    slowest = max((_longest(seen.loops) for seen in profile.loop_threads().values()), default=0)
    for tid, seen in profile.loop_threads().items():
        if profile.styles[tid].id != "epoll-et":
            continue
        busy = _longest(seen.loops)
        # What is read here may be for another loop: flow control leaves it until that one has time.
        limit = max(LEFT_NS, TIMES_LONGER_THAN_BUSY * slowest)
        mostly = profile.contended or slowest > busy
        late = [
            one
            for one in connections
            if (one.unread_ns or 0) >= limit or _left_behind(one, limit, mostly=mostly)
        ]
        if not late:
            continue
        pickups = [one.pickup_ns for one in late if one.pickup_ns]
        worst = max(
            late, key=lambda one: max(one.unread_ns or 0, one.pickup_ns.max if one.pickup_ns else 0)
        )
        unread = sum(one.unread_ns or 0 for one in late)
        yield Hit(
            {
                "connections": len(late),
                "longest_ns": max((one.max for one in pickups), default=0),
                "p50_ns": max((one.p50 for one in pickups), default=0),
                "unread_at_the_end_ns": max((one.unread_ns or 0 for one in late), default=0),
                "longest_iteration_ns": busy,
            },
            unread + sum(one.count * one.p50 // 2 for one in pickups),
            tid,
            worst.fd,
        )


def _longest(loops: Iterable[Loop]) -> int:
    """An iteration, in ns."""
    return max((loop.busy_ns.max for loop in loops if loop.busy_ns), default=0)


def _left_behind(one: Descriptor, limit: int, *, mostly: bool) -> bool:
    """``mostly``: where CPU or other loops are waited for, single late reads prove nothing."""
    pickup = one.pickup_ns
    if pickup is None or pickup.count < LEAST_COUNT:
        return False
    return (pickup.p50 if mostly else pickup.p99) >= limit


LEFT = Rule(
    "IO107",
    "Edge-triggered leftover: data was left unread after its edge",
    "After an edge read until recv raises BlockingIOError, or keep the descriptor on a list of "
    "your own until it is empty; without EPOLLET the kernel keeps that list for you.",
    _left,
    explains={"IO105": always},
)

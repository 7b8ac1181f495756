# SPDX-License-Identifier: Apache-2.0
"""Data that was there and was not read."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.report.model import Pickup
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rule

LATE_NS = 50_000_000
"""A 99th percentile above it is late: people notice 100 ms, and the answer is still to come."""
LEAST_COUNT = 20
"""Fewer reads have no 99th percentile worth the name."""
COST_SHARE = 0.05
"""Of the time traced, that data lay there."""


def _late(profile: ProcessProfile) -> Iterator[Hit]:
    seen = [(one, one.pickup_ns) for one in profile.connections() if one.pickup_ns]
    # Where the CPU is contended, single late reads prove nothing: most of them must be.
    late = [
        (one, pickup)
        for one, pickup in seen
        if (pickup.p50 if profile.contended else pickup.p99) >= LATE_NS
    ]
    if sum(pickup.count for _, pickup in late) < LEAST_COUNT:
        return
    # It lies there once, however many reads take it away piece by piece.
    cost = sum(min(_waited(one), profile.wall_ns) for _, one in late)
    if cost < COST_SHARE * profile.wall_ns:
        return
    worst, pickup = max(late, key=lambda item: item[1].p99)
    yield Hit(
        {
            "connections": len(late),
            "reads": sum(pickup.count for _, pickup in late),
            "p50_ns": pickup.p50,
            "p99_ns": pickup.p99,
            "longest_ns": max(one.max for _, one in late),
        },
        cost,
        fd=worst.fd if len(late) == 1 else None,
    )


def _waited(pickup: Pickup) -> int:
    """Time that data lay there, at least: half of the reads were no quicker than the median."""
    return pickup.count * pickup.p50 // 2 + pickup.count * pickup.p99 // 100


LATE = Rule(
    "IO105",
    "Late pickup: data lay in the kernel before it was read",
    "Look at what the reading thread did meanwhile (the threads' and the loop's table): shorten "
    "that work, move it to other threads or processes, or serve with more workers.",
    _late,
    least=Detail.SOCKETS,
)

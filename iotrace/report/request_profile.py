# SPDX-License-Identifier: Apache-2.0
"""The typical and the slowest requests of a listener, from its tiers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from iotrace.report.requests import Requests, RequestTier

SLOWEST = 0.01
"""Of the exchanges: whole tiers from the slowest down, until they have as many."""
_MOST_STATES = 3
"""Of a part, that are worth naming,"""
_LEAST_SHARE = 0.02
"""and the least share of it that is."""


def typical(row: Requests) -> RequestTier | None:
    """The tier of the median exchange; None: there is none."""
    total = sum(tier.count for tier in row.tiers)
    seen = 0
    for tier in row.tiers:
        seen += tier.count
        if 2 * seen >= total and tier.count:
            return tier
    return None


def slowest(row: Requests) -> RequestTier | None:
    """The slowest hundredth (at least), added up; None where that is the typical tier, too."""
    total = sum(tier.count for tier in row.tiers)
    chosen: list[RequestTier] = []
    for tier in reversed(row.tiers):
        if sum(one.count for one in chosen) >= SLOWEST * total:
            break
        chosen.insert(0, tier)
    if not chosen or typical(row) in chosen:
        return None
    return _together(chosen)


def main_states(states: Mapping[str, int]) -> list[tuple[str, int]]:
    """The states that most of a part's time was in, the longest first."""
    total = sum(states.values())
    ranked = sorted(states.items(), key=lambda state: -state[1])[:_MOST_STATES]
    return [(name, ns) for name, ns in ranked if ns > _LEAST_SHARE * total]


def main_part(tier: RequestTier) -> tuple[str, str, float]:
    """Where most of the time went: the part, the state in it ("" of the queue), and its share."""
    times = {
        ("queue", ""): tier.queue_ns,
        **{("pickup", state): ns for state, ns in tier.pickup_ns.items()},
        **{("service", state): ns for state, ns in tier.service_ns.items()},
    }
    (part, state), ns = max(times.items(), key=lambda entry: entry[1])
    return part, state, ns / tier.latency_ns if tier.latency_ns else 0.0


def _together(tiers: Sequence[RequestTier]) -> RequestTier:
    return RequestTier(
        from_ns=tiers[0].from_ns,
        to_ns=tiers[-1].to_ns,
        count=sum(tier.count for tier in tiers),
        latency_ns=sum(tier.latency_ns for tier in tiers),
        queue_ns=sum(tier.queue_ns for tier in tiers),
        pickup_ns=_sum(tier.pickup_ns for tier in tiers),
        service_ns=_sum(tier.service_ns for tier in tiers),
    )


def _sum(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for states in parts:
        total.update(states)
    return dict(total)

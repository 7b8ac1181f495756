# SPDX-License-Identifier: Apache-2.0
"""What a wait takes a share of: the time that requests take, where it is made for requests.

A server that few ask is idle for most of a trace, however slow each answer is: what its users feel
is the share of their requests' time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from iotrace.verdict.process_profile import ProcessProfile

LEAST_REQUESTS = 3
"""Fewer may have been the first, which import and connect."""
SLOW_SHARE = 0.5
"""Of the time that all requests take, in those that are slow: a few outliers stand for nobody;"""
SLOW_ONES = 0.05
"""nor do so few of all requests."""
FELT_NS = 1_000_000
"""Of each request: what takes less, nobody notices."""
ON_CPU = ("cpu", "user", "kernel", "copy")


@dataclass(frozen=True, slots=True)
class Whole:
    """So many ``requests`` take ``ns`` together, of which so many were ``slow``; 0: it is the time
    traced, or that of threads."""

    ns: int
    requests: int = 0
    slow: int = 0

    @property
    def name(self) -> str:
        """ "the requests' time"."""
        return "the requests' time" if self.requests else "the time"


def whole_of(
    waited_ns: int,
    profile: ProcessProfile,
    slow_ns: int = 0,
    states: Collection[str] = (),
    otherwise_ns: int = 0,
) -> Whole:
    """What a wait of ``waited_ns``, of all threads together, takes a share of.

    The service time of all requests, if most of it is of those that took ``slow_ns`` or longer, and
    all of the wait fits into the part of theirs that their threads spent in ``states`` (none given:
    in any), or in which others than the thread that answered may have worked. Else it is not made
    for requests, or not for those alone: then it is of ``otherwise_ns``, 0: of the time traced.
    """
    longest = otherwise_ns or profile.wall_ns
    requests, service = service_of(profile, slow_ns)
    handed = {"elsewhere", "lock", *(("poll",) if profile.loop_threads() else ())}
    room = sum(service[one] for one in {*states, *handed}) if states else service.total()
    # Of those that had come before the trace, or are owed, the waits are seen, and not the time.
    cut = sum(row.undated + row.unanswered for row in profile.process.requests)
    felt = FELT_NS * requests <= waited_ns <= room * (1 + min(1, cut / max(1, requests)))
    number, everything = service_of(profile)
    ns = everything.total()
    typical = requests >= SLOW_ONES * number and service.total() >= SLOW_SHARE * ns
    if requests < LEAST_REQUESTS or not felt or not typical or ns >= longest:
        return Whole(longest)
    return Whole(ns, number, requests)


def service_of(profile: ProcessProfile, slow_ns: int = 0) -> tuple[int, Counter[str]]:
    """How many requests took so long or longer, and what they took from their first read to their
    answer, by state."""
    requests, service = 0, Counter[str]()
    for row in profile.process.requests:
        for tier in row.tiers:
            if tier.count and tier.latency_ns >= slow_ns * tier.count:
                requests += tier.count
                service.update(tier.service_ns)
    return requests, service

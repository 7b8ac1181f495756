# SPDX-License-Identifier: Apache-2.0
"""select and poll search all their descriptors in every call."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule
from iotrace.verdict.thread_activity import family_of

MANY = 64
EPOLL_CALL_NS = 1_000
"""Kernel time of an epoll_wait that finds something: about 1 us, however many are watched."""
CPU_SHARE = 0.01

FD_SETSIZE = 1024
"""select(2): descriptors from this number on cannot be in a set."""
NEAR = 900
VERY_NEAR = 1000


def _many(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.threads.items():
        for loop in seen.multiplexers:
            family = family_of(loop)
            if family not in ("select", "poll") or (loop.watched or 0) < MANY:
                continue
            calls = [
                one
                for one in profile.calls[tid]
                if one.syscall == loop.multiplexer and not one.kind
            ]
            count = sum(one.calls or 0 for one in calls)
            kernel = sum(one.kernel_ns or 0 for one in calls)
            cost = kernel - count * EPOLL_CALL_NS
            if count and cost >= CPU_SHARE * profile.wall_ns:
                yield Hit(
                    {
                        "call": loop.multiplexer,
                        "watched": loop.watched or 0,
                        "calls": count,
                        "kernel_per_call_ns": kernel // count,
                        "ready_per_call": round(loop.ready.mean if loop.ready else 0.0, 2),
                    },
                    cost,
                    tid,
                )


def _near_the_limit(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.threads.items():
        for loop in seen.multiplexers:
            if family_of(loop) == "select" and loop.nfds_max > NEAR:
                highest = loop.nfds_max - 1
                yield Hit(
                    {"highest_descriptor": highest, "limit": FD_SETSIZE - 1},
                    None,
                    tid,
                    highest,
                    "high" if highest >= VERY_NEAR else "medium",
                )


SEARCHED = Rule(
    "IO108",
    "select or poll over many descriptors: each call searches all",
    "Use selectors.DefaultSelector(), which is epoll on Linux: its calls cost the same however "
    "many descriptors are watched.",
    _many,
    cost=Cost.CPU,
)
NEAR_LIMIT = Rule(
    "IO109",
    "select is near its limit of 1024 descriptors",
    "Use selectors.DefaultSelector() (epoll) or select.poll(): neither has the limit. "
    "Raising `ulimit -n` does not move it.",
    _near_the_limit,
    least=Detail.LIGHT,
    cost=Cost.CPU,
)

"""select and poll search all their descriptors in every call."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail, known
from iotrace.verdict.activity import family_of
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.view import ProcessView

MANY = 64
EPOLL_CALL_NS = 1_000
"""Kernel time of an epoll_wait that finds something: about 1 us, however many are watched."""
CPU_SHARE = 0.01

FD_SETSIZE = 1024
"""select(2): descriptors from this number on cannot be in a set."""
NEAR = 900
VERY_NEAR = 1000


def _many(view: ProcessView) -> Iterator[Hit]:
    for tid, seen in view.threads.items():
        for loop in seen.multiplexers:
            family = family_of(loop)
            if family not in ("select", "poll") or (loop.watched or 0) < MANY:
                continue
            calls = [
                one for one in view.calls[tid] if one.syscall == loop.multiplexer and not one.kind
            ]
            count = sum(known(one.calls) for one in calls)
            kernel = sum(known(one.kernel_ns) for one in calls)
            cost = kernel - count * EPOLL_CALL_NS
            if count and cost >= CPU_SHARE * view.wall_ns:
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


def _near_the_limit(view: ProcessView) -> Iterator[Hit]:
    for tid, seen in view.threads.items():
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
)
NEAR_LIMIT = Rule(
    "IO109",
    "select is near its limit of 1024 descriptors",
    "Use selectors.DefaultSelector() (epoll) or select.poll(): neither has the limit. "
    "Raising `ulimit -n` does not move it.",
    _near_the_limit,
    least=Detail.LIGHT,
)

# SPDX-License-Identifier: Apache-2.0
"""Many workers woken for one connection."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule
from iotrace.vocabulary.calls import ACCEPTS, FAMILIES

WASTED_PER_CONNECTION = 1.0
"""Wake-ups for nothing for each connection that was accepted."""
WASTED_PER_SECOND = 200
CPU_SHARE = 0.01
"""Of one CPU, in the kernel alone."""


def _herd(profile: ProcessProfile) -> Iterator[Hit]:
    workers = [one for one in profile.children if one.total.accepts.calls]
    if len(workers) < 2:
        return
    wasted = sum(_wasted(one) for one in workers)
    accepted = sum(one.total.accepts.ok for one in workers)
    if wasted < WASTED_PER_CONNECTION * max(1, accepted):
        return
    cost = sum(_cost(one) for one in workers)
    if profile.per_second(wasted) < WASTED_PER_SECOND or cost < CPU_SHARE * profile.wall_ns:
        return
    yield Hit(
        {
            "workers": len(workers),
            "connections": accepted,
            "wasted_wakeups": wasted,
            "wasted_per_connection": round(wasted / max(1, accepted), 2),
            "kernel_cpu_ns": cost,
        },
        cost,
    )


def _wasted(worker: ProcessProfile) -> int:
    """Wake-ups after which another one had taken the connection: the multiplexer looked again and
    went back to sleep without returning, or it returned and accept was refused.

    The first are the voluntary switches that no call of the worker's explains.
    """
    seen = worker.total
    returns = sum(loop.iterations or 0 for loop in seen.loops)
    calls = returns + seen.reads.calls + seen.writes.calls + seen.sleeps.calls
    asleep_again = max(0, seen.voluntary - calls) if seen.loops else 0
    unserved = sum(loop.unserved or 0 for loop in seen.loops)
    return asleep_again + min(unserved, seen.accepts.eagain)


def _cost(worker: ProcessProfile) -> int:
    """Kernel time of the multiplexer and of accept, by the share of the wake-ups wasted."""
    returns = sum(loop.iterations or 0 for loop in worker.total.loops)
    kernel = sum(
        one.kernel_ns or 0
        for one in worker.process.calls
        if one.syscall in ACCEPTS or one.syscall in FAMILIES
    )
    wasted = _wasted(worker)
    return kernel * wasted // max(1, wasted + returns)


HERD = Rule(
    "IO116",
    "Accept herd: each connection wakes workers that find nothing",
    "Give each worker a listener of its own (SO_REUSEPORT; gunicorn --reuse-port), watch a shared "
    "one with EPOLLEXCLUSIVE, or let the workers block in accept(), which wakes one of them.",
    _herd,
    cost=Cost.CPU,
)

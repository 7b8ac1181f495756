"""Many workers woken for one connection."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.activity import ACCEPTS, FAMILIES
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.view import ProcessView

WASTED_PER_CONNECTION = 1.0
"""Wake-ups for nothing for each connection that was accepted."""
WASTED_PER_SECOND = 200
CPU_SHARE = 0.01
"""Of one CPU, in the kernel alone."""


def _herd(view: ProcessView) -> Iterator[Hit]:
    workers = [one for one in view.children if one.total.accepts.calls]
    if len(workers) < 2:
        return
    wasted = sum(_wasted(one) for one in workers)
    accepted = sum(one.total.accepts.ok for one in workers)
    if wasted < WASTED_PER_CONNECTION * max(1, accepted):
        return
    cost = sum(_cost(one) for one in workers)
    if view.per_second(wasted) < WASTED_PER_SECOND or cost < CPU_SHARE * view.wall_ns:
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


def _wasted(worker: ProcessView) -> int:
    """Returns with a connection ready after which accept found that another one had taken it."""
    unserved = sum(loop.unserved for loop in worker.total.multiplexers)
    return min(unserved, worker.total.accepts.eagain)


def _cost(worker: ProcessView) -> int:
    """Kernel time of the multiplexer and of accept, by the share of the wake-ups wasted."""
    returns = sum(loop.iterations for loop in worker.total.multiplexers)
    kernel = sum(
        one.kernel_ns
        for one in worker.process.calls
        if one.syscall in ACCEPTS or one.syscall in FAMILIES
    )
    return kernel * _wasted(worker) // max(1, returns)


HERD = Rule(
    "IO116",
    "Accept herd: every connection wakes many workers, and all but one find nothing",
    "Give each worker a listener of its own (SO_REUSEPORT; gunicorn --reuse-port), watch a shared "
    "one with EPOLLEXCLUSIVE, or let the workers block in accept(), which wakes one of them.",
    _herd,
)

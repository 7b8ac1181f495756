# SPDX-License-Identifier: Apache-2.0
"""Workers of one listener of which one has all the connections, and the others nothing to do."""

from __future__ import annotations

from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile, port_of

IDLE_SHARE = 0.2
"""Of its time, on a CPU or ready: a worker with less is idle."""
LEAST_CONNECTIONS = 2
"""Of the busy one: a single one could be served by nobody else."""


def idle_siblings(profile: ProcessProfile) -> tuple[str, dict[str, int]]:
    """What to add to a title and to the evidence; nothing where no sibling is idle."""
    ports = profile.listening_ports()
    workers = [
        one
        for one in profile.siblings
        if one.listening_ports() & ports and one.process.ended_ns is None
    ]
    idle = [
        one for one in workers if one.total.cpu_ns + one.total.runq_ns < IDLE_SHARE * one.wall_ns
    ]
    mine, others = _connections(profile), max(map(_connections, idle), default=0)
    if not idle or mine < LEAST_CONNECTIONS or others > mine / 2:
        return "", {}
    text = (
        f", while {len(idle)} of {plural(len(workers), 'other worker')} "
        f"{'is' if len(idle) == 1 else 'are'} idle: {plural(mine, 'connection')} "
        "stay with the worker that has accepted them"
    )
    return text, {"connections": mine, "other_workers": len(workers), "of_them_idle": len(idle)}


def _connections(profile: ProcessProfile) -> int:
    ports = profile.listening_ports()
    return len(
        {
            one.peer
            for one in profile.process.descriptors
            if one.kind == "tcp" and one.peer and port_of(one.local) in ports
        }
    )


UNEVEN_ADVICE = (
    " And share the connections: whoever wakes first accepts them all, and keeps them for as long "
    "as they are kept alive. Have the proxy open more of them, and close each after some requests "
    "(nginx: keepalive_requests; gunicorn: --max-requests with jitter), give each worker a "
    "listener of its own (SO_REUSEPORT), or put a balancer before them."
)

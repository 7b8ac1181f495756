# SPDX-License-Identifier: Apache-2.0
"""Connections that wait long to be accepted, because whoever accepts is busy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.model import Process
from iotrace.report.requests import Requests
from iotrace.report.stacks import Line
from iotrace.verdict.client_waits import SLOW_CLIENTS, client_waits
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.gil_waits import kept_waiting_ns
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, Tells, always
from iotrace.verdict.thread_activity import Activity
from iotrace.verdict.told_lines import COMPUTES, ToldWait
from iotrace.vocabulary.calls import ACCEPTS, FAMILIES, SLEEPS

LEAST_NS = 100_000_000
"""In the accept queue, of one connection in ten at least: shorter is a burst."""
QUEUE_SHARE = 0.2
"""Of the latency of all requests, spent in the accept queue."""
AWAY_SHARE = 0.5
"""Of the accepting thread's time without waits for connections: so much is what keeps it busy."""
LEAST_CONNECTIONS = 3
"""Accepted, or waiting at the end."""
CLIENTS_SHARE = 0.5
"""Of the accepting thread's time, asleep for what clients send on connections that they keep."""
NO_CPU_SHARE = 0.2
"""Of the accepting thread's time, ready but without a CPU, and no less than it was at work."""
IDLE_SHARE = 0.5
"""Of the time of a worker's accepting thread, waiting for connections or what comes on them."""
_WAITS_FOR, _GIL = "waits_for", "Python's GIL"
_LATE = "The thread that accepts waits for Python's GIL"


def _queued(profile: ProcessProfile) -> Iterator[Hit]:
    accepting = [
        tid
        for tid, calls in profile.calls.items()
        if profile.styles[tid].role != "loop"  # a loop that is late has rules of its own
        and any(one.syscall in ACCEPTS for one in calls)
    ]
    if len(accepting) != 1:
        return
    seen = profile.threads[accepting[0]]
    worked_ns = seen.lifetime_ns - seen.runq_ns - seen.wait_ns["accept"] - seen.wait_ns["poll"]
    if seen.runq_ns >= max(NO_CPU_SHARE * seen.lifetime_ns, worked_ns):
        return  # all is late then: IO112, IO121
    slow_clients = False
    on_sockets_ns = seen.wait_ns["recv"] + seen.wait_ns["send"] + seen.wait_ns["poll"]
    if min(on_sockets_ns, _waited_for_clients(profile)) >= CLIENTS_SHARE * seen.lifetime_ns:
        slow_clients = _send_slowly(profile.process, accepting[0])
        if not slow_clients:
            return  # for the next request of one that it has, if for anything: IO119, IO146
    pending = (profile.process.sockets.pending or 0) if profile.process.sockets else 0
    begun = _has_begun(seen, profile)
    for one in profile.process.requests:
        if _waits_long(one, pending) and not (begun and _came_meanwhile(one, profile)):
            yield _hit(one, accepting[0], profile, slow_clients=slow_clients)


def _has_begun(accepting: Activity, profile: ProcessProfile) -> bool:
    """A worker that was started in the trace, by one that listened before, has had time since, and
    nobody waits any more."""
    sockets = profile.process.sockets
    idle_ns = accepting.wait_ns["accept"] + accepting.wait_ns["poll"]
    return (
        profile.process.started_ns > 0
        and profile.parent is not None
        and not (sockets and sockets.pending)
        and idle_ns >= IDLE_SHARE * accepting.lifetime_ns
    )


def _came_meanwhile(row: Requests, profile: ProcessProfile) -> bool:
    """Whether those that waited long had come before the first of them was accepted, or soon after:
    while the worker was starting, and in no burst since. Only the slowest are dated: that others
    were no later is taken for granted where no worker was started and ended again meanwhile."""
    dated = [one for one in row.exemplars if one.queue_ns >= LEAST_NS]
    first_ns = min((one.arrived_ns + one.queue_ns for one in dated), default=0)
    if not dated or any(one.arrived_ns > first_ns + LEAST_NS for one in dated):
        return False
    waited = row.queue_ns.histogram if row.queue_ns else ()
    return sum(n for low, _, n in waited if low >= LEAST_NS) <= len(dated) or not any(
        one.process.started_ns > 0 and one.process.ended_ns is not None
        for one in (profile, *profile.siblings)
    )


def _send_slowly(process: Process, tid: int) -> bool:
    """Whether it mostly waits for the rest of a request, not for the next one."""
    waits = client_waits([row for row in process.threads if row.tid == tid])
    return waits.between_ns is not None and not waits.rest


def _waited_for_clients(profile: ProcessProfile) -> int:
    """Of all threads, on connections that others have opened."""
    outgoing = {(one.fd, one.kind) for one in profile.outgoing()}
    return sum(
        one.wait_ns + one.polled_ns
        for one in profile.connections()
        if (one.fd, one.kind) not in outgoing
    )


def _waits_long(one: Requests, pending: int) -> bool:
    queued = sum(tier.queue_ns for tier in one.tiers)
    latency = sum(tier.latency_ns for tier in one.tiers)
    return (
        one.queue_ns is not None
        and one.queue_ns.count + pending >= LEAST_CONNECTIONS
        and one.queue_ns.p90 >= LEAST_NS
        and queued >= QUEUE_SHARE * latency
    )


def _hit(one: Requests, tid: int, profile: ProcessProfile, *, slow_clients: bool) -> Hit:
    assert one.queue_ns
    sockets = profile.process.sockets
    slow = [row for row in profile.process.lines if row.tid == tid and row.syscall not in ACCEPTS]
    lines = waiting_lines(slow, profile.process)
    computes = not lines
    lines = lines or busy_lines(profile.process, tid)
    model = profile.process.model
    prefork = model is not None and model.shape.startswith("pre-forked")
    in_gil = _wants_the_gil(tid, profile)
    told = (
        lines[0].wait
        if not in_gil and lines and (computes or _is_most(slow, tid, profile))
        else None
    )
    busy = _LATE if in_gil else _busy(told, workers=prefork, slow_clients=slow_clients)
    return Hit(
        {
            "listener": one.listener,
            "accepted_connections": one.queue_ns.count,
            "typical_wait_ns": one.queue_ns.p50,
            "longest_wait_ns": one.queue_ns.max,
            "connections_waiting_at_the_end": (sockets.pending or 0) if sockets else 0,
            **({_WAITS_FOR: _GIL} if in_gil else {}),
        },
        sum(tier.queue_ns for tier in one.tiers),
        tid,
        severity="high",
        lines=lines,
        title=f"{busy}: connections wait up to {duration(one.queue_ns.max)} in the accept queue",
        advice=SLOW_CLIENTS if slow_clients else "",
    )


def _wants_the_gil(tid: int, profile: ProcessProfile) -> bool:
    """Whether that is much of what the accepting thread does but accept."""
    seen = profile.threads[tid]
    away_ns = seen.lifetime_ns - seen.wait_ns["accept"] - seen.wait_ns["poll"]
    return kept_waiting_ns(tid, profile) >= AWAY_SHARE * away_ns > 0


def keeps_the_gil(cause: Hit, symptom: Hit) -> bool:
    """Whether the thread that accepts waits for the GIL, which those that compute keep."""
    return symptom.evidence.get(_WAITS_FOR) == _GIL


def _is_most(slow: Sequence[Line], tid: int, profile: ProcessProfile) -> bool:
    """Whether its slow calls are much of what it does but accept."""
    seen = profile.threads[tid]
    away_ns = seen.lifetime_ns - seen.wait_ns["accept"] - seen.wait_ns["poll"]
    away_ns += sum(row.wait_ns for row in slow if row.syscall in FAMILIES)
    return sum(row.wait_ns for row in slow) >= AWAY_SHARE * away_ns


def _busy(told: ToldWait | None, *, workers: bool, slow_clients: bool) -> str:
    """What whoever accepts does instead; None: not known. ``workers``: several processes accept, of
    which only this one is known here: others may do something else."""
    if slow_clients:
        who = "All workers are" if workers else "The thread that accepts is"
        return f"{who} busy with requests that clients send slowly"
    if told is None:
        return "All workers are busy" if workers else "The thread that accepts is busy"
    if told.does == COMPUTES:
        does = f"computes in {told.place}"
    elif told.does in SLEEPS:
        does = f"sleeps at {told.place}"
    else:
        does = f"waits in {told.does} at {told.place}"
    return (
        f"All workers are busy (this one {does})" if workers else f"The thread that accepts {does}"
    )


QUEUED = Rule(
    "IO171",
    "All workers are busy: connections wait in the accept queue",
    "The lines say what keeps them busy: make that quicker or give it a timeout. Else have more "
    "workers, or threads in each (gunicorn: -w, --threads, -k gthread), so that quick requests "
    "and health checks do not stand behind slow ones.",
    _queued,
    explains={"IO105": always, "IO155": always},
    rank=Rank.STUCK,
    tells=Tells.QUEUE,
)

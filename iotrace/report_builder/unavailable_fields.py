# SPDX-License-Identifier: Apache-2.0
"""Rows of a trace that did not look at every call: what was not seen is None, never 0.

Which fields those are is said where they are declared (report/rows.py, report/event_loops.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from iotrace.report.detail import Detail, unknown_fields
from iotrace.report.model import Call, Descriptor, Loop, Process, States, Thread
from iotrace.report.requests import Requests, Upstream
from iotrace.report.surroundings import UnreadPipe
from iotrace.vocabulary.calls import SOCKET_CALLS
from iotrace.vocabulary.kinds import SOCKETS


def clear_unavailable(process: Process, detail: Detail) -> Process:
    """The process with None for every figure that this detail cannot know."""
    if detail is Detail.FULL:
        return process
    return replace(
        process,
        threads=tuple(_thread(row, detail) for row in process.threads),
        calls=tuple(_call(row, detail) for row in process.calls),
        descriptors=tuple(_descriptor(row, detail) for row in process.descriptors),
        loops=tuple(_loop(row, detail) for row in process.loops),
        unread_pipes=tuple(_unread_pipe(row, detail) for row in process.unread_pipes),
        requests=tuple(map(_requests, process.requests)),
        upstreams=tuple(map(_upstream, process.upstreams)),
        workers=process.workers
        and replace(
            process.workers,
            requests=tuple(map(_requests, process.workers.requests)),
            upstreams=tuple(map(_upstream, process.workers.upstreams)),
        ),
    )


def _thread(row: Thread, detail: Detail) -> Thread:
    unknown = unknown_fields(States, detail)
    states = replace(row.states_ns, **unknown)
    lost = row.states_ns.on_cpu - states.on_cpu
    return replace(
        row,
        states_ns=replace(states, cpu=lost + (row.states_ns.cpu or 0)),
        **unknown_fields(Thread, detail),
    )


def _call(row: Call, detail: Detail) -> Call:
    """``slept_ns`` is what the kernel side keeps in the place of latencies."""
    seen = row.kind in SOCKETS and row.syscall in SOCKET_CALLS
    known = detail if seen else Detail.LIGHT
    return replace(
        row,
        sleeps=row.sleeps or 0,
        slept_ns=row.latency_ns if row.sleeps else None,
        copy_estimated=row.copy_estimated and known is not Detail.LIGHT,
        **unknown_fields(Call, known),
    )


def _descriptor(row: Descriptor, detail: Detail) -> Descriptor:
    known = detail if row.kind in SOCKETS and row.calls else Detail.LIGHT
    return replace(
        row,
        sleeps=row.sleeps or 0,
        copy_estimated=row.copy_estimated and known is not Detail.LIGHT,
        **unknown_fields(Descriptor, known),
    )


def _loop(row: Loop, detail: Detail) -> Loop:
    """``busy_ns`` and ``stalls`` are of the time between two sleeps in the multiplexer."""
    return replace(row, sleeps=row.sleeps or 0, **unknown_fields(Loop, detail))


def _unread_pipe(row: UnreadPipe, detail: Detail) -> UnreadPipe:
    return replace(row, **unknown_fields(UnreadPipe, detail))


def _requests(row: Requests) -> Requests:
    return replace(
        row,
        tiers=tuple(
            replace(one, pickup_ns=_on_cpu(one.pickup_ns), service_ns=_on_cpu(one.service_ns))
            for one in row.tiers
        ),
        exemplars=tuple(
            replace(one, pickup_ns=_on_cpu(one.pickup_ns), service_ns=_on_cpu(one.service_ns))
            for one in row.exemplars
        ),
    )


def _upstream(row: Upstream) -> Upstream:
    return replace(row, pickup_states_ns=_on_cpu(row.pickup_states_ns))


def _on_cpu(parts: Mapping[str, int]) -> dict[str, int]:
    """A thread on a CPU is in state "user" here, a new one in "kernel", whatever it does."""
    others = {state: ns for state, ns in parts.items() if state not in ("user", "kernel")}
    cpu_ns = parts.get("user", 0) + parts.get("kernel", 0)
    return {"cpu": cpu_ns, **others} if cpu_ns else others

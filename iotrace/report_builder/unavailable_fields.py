# SPDX-License-Identifier: Apache-2.0
"""Rows of a trace that did not look at every call: what was not seen is None, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from iotrace.report.detail import Detail
from iotrace.report.model import Call, Descriptor, Loop, Process, Thread
from iotrace.report.requests import Requests, Upstream
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
        loops=tuple(map(_loop, process.loops)),
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
    states = row.states_ns
    copy = states.copy if detail is Detail.SOCKETS else None
    on_cpu = states.on_cpu - (copy or 0)
    return replace(
        row,
        states_ns=replace(states, user=None, kernel=None, copy=copy, cpu=on_cpu),
        syscalls=None,
        requests=None if detail is Detail.LIGHT else row.requests,
    )


def _call(row: Call, detail: Detail) -> Call:
    """``slept_ns`` is what the kernel side keeps in the place of latencies."""
    row = replace(
        row,
        total_ns=None,
        kernel_ns=None,
        latency_ns=None,
        waits_ns=None,
        gil_waits=None,
        gil_ns=None,
        sleeps=row.sleeps or 0,
        slept_ns=row.latency_ns if row.sleeps else None,
    )
    if detail is Detail.SOCKETS and row.kind in SOCKETS and row.syscall in SOCKET_CALLS:
        return row
    return replace(
        row,
        calls=None,
        errors=None,
        bytes=None,
        copy_ns=None,
        copies_ns=None,
        copy_estimated=False,
        filled=None,
    )


def _descriptor(row: Descriptor, detail: Detail) -> Descriptor:
    row = replace(row, sleeps=row.sleeps or 0)
    if detail is Detail.SOCKETS and row.kind in SOCKETS and row.calls:
        return row
    return replace(
        row,
        calls=None,
        bytes_in=None,
        bytes_out=None,
        copy_ns=None,
        copy_estimated=False,
        eagain=None,
    )


def _loop(row: Loop) -> Loop:
    """``busy_ns`` and ``stalls`` are of the time between two sleeps in the multiplexer."""
    return replace(
        row,
        iterations=None,
        empty=None,
        timeouts=None,
        ready=None,
        zero_timeout=None,
        unserved=None,
        data_iterations=None,
        eager_reads=None,
        sleeps=row.sleeps or 0,
    )


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

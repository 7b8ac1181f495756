# SPDX-License-Identifier: Apache-2.0
"""What a recording holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from iotrace.report.model import (
    Call,
    Durations,
    Loop,
    Operation,
    Report,
    Requests,
    Upstream,
    Workers,
)
from iotrace.report.stacks import Line
from iotrace.timeline.recorded_events import Timeline


@dataclass(frozen=True, slots=True)
class Recording:
    """The report of a whole trace, and reports of its intervals one after the other.

    ``timeline``: single events, None where none were recorded (or none were asked for).
    """

    report: Report
    samples: Sequence[Report] = ()
    timeline: Timeline | None = None


def as_sample(interval: Report) -> Report:
    """An interval's report without what no comparison asks for, so that files stay small."""
    processes = (
        replace(
            process,
            cmdline=(),
            descriptors=(),
            signals=(),
            model=None,
            pickup_ns=None,
            sockets=None,
            limits=None,
            major_faults=None,
            cpu_samples=(),
            tasks=None,
            file_lock_waits=(),
            lines=tuple(map(_plain_line, process.lines)),
            calls=tuple(map(_plain_call, process.calls)),
            loops=tuple(map(_plain_loop, process.loops)),
            operations=tuple(map(_plain_operation, process.operations)),
            requests=tuple(map(_plain_requests, process.requests)),
            upstreams=tuple(map(_plain_upstream, process.upstreams)),
            workers=_plain_workers(process.workers),
        )
        for process in interval.processes
    )
    return replace(interval, processes=tuple(processes), findings=())


def _plain_call(call: Call) -> Call:
    times = call.latency_ns and replace(call.latency_ns, histogram=())
    return replace(call, latency_ns=times, waits_ns=None, copies_ns=None)


def _plain_line(line: Line) -> Line:
    times = line.latency_ns and replace(line.latency_ns, histogram=())
    return replace(line, latency_ns=times)


def _plain_loop(loop: Loop) -> Loop:
    busy = loop.busy_ns and replace(loop.busy_ns, histogram=())
    return replace(loop, busy_ns=busy, ready_watches=())


def _plain_operation(operation: Operation) -> Operation:
    times = operation.submit_to_complete_ns
    return replace(operation, submit_to_complete_ns=times and replace(times, histogram=()))


def _plain_requests(row: Requests) -> Requests:
    return replace(
        row,
        latency_ns=_plain(row.latency_ns),
        queue_ns=_plain(row.queue_ns),
        pickup_ns=_plain(row.pickup_ns),
        service_ns=_plain(row.service_ns),
        last_byte_ns=_plain(row.last_byte_ns),
        exemplars=(),
    )


def _plain_upstream(row: Upstream) -> Upstream:
    return replace(
        row,
        theirs_ns=_plain(row.theirs_ns),
        pickup_ns=_plain(row.pickup_ns),
        connect_ns=_plain(row.connect_ns),
    )


def _plain_workers(workers: Workers | None) -> Workers | None:
    return workers and replace(
        workers,
        requests=tuple(map(_plain_requests, workers.requests)),
        upstreams=tuple(map(_plain_upstream, workers.upstreams)),
    )


def _plain(times: Durations | None) -> Durations | None:
    return times and replace(times, histogram=())

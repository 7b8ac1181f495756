# SPDX-License-Identifier: Apache-2.0
"""Requests as their client has measured them, held against what a trace of the server says.

Client and server are traced at once: the client's calls upstream are the server's requests.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from itertools import islice

from benchmarks.latency_servers import RunningServer
from benchmarks.process_group import LOAD_CPU, ProcessGroup, compiled, prepare
from iotrace.engine.map_limits import Limits, limits_for
from iotrace.snapshot.exchanges import EndpointKey, EndpointTotals
from iotrace.snapshot.histogram import percentile_ns
from iotrace.snapshot.merging import add
from iotrace.tracing.trace import Trace

CONNECTIONS = 8
RATE = 150
"""Requests a second: so few that no client waits for its own CPU."""
_SETTLE_S = 0.3


@dataclass(frozen=True, slots=True)
class Latencies:
    """Of requests, in ns. ``mean`` is exact; a trace's percentiles are those of its histogram."""

    count: int
    mean: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One server. ``client``: what it measured itself; ``upstream``: what a trace of it says.

    ``behind``: the same two of what stands behind the server: its calls, and their requests.
    """

    client: Latencies
    server: Latencies
    upstream: Latencies
    unknown: int
    behind: tuple[Latencies, Latencies] | None = None


def compared(start: Callable[[ProcessGroup], RunningServer], requests: int, keep: bool) -> Compared:
    """Trace a server, and the client that asks it so often. Raises Missing."""
    with ProcessGroup() as group, _client_of(group, start, requests, keep) as (server, client):
        pids = [*server.pids, client.pid]
        with Trace(limits_for(pids, Limits())) as trace:
            for pid in pids:
                trace.follow(pid, True)
            time.sleep(_SETTLE_S)
            measured = _measured(client, requests, trace)
            time.sleep(_SETTLE_S)
            snapshot = trace.snapshot()
    endpoints = snapshot.endpoints
    served = _sum(endpoints, lambda key: key.role == "server" and key.port == server.port)
    asked = _sum(endpoints, lambda key: key.pid == client.pid)
    return Compared(
        client=_of_samples(measured),
        server=_of_requests(served),
        upstream=_of_calls(asked),
        unknown=served.unknown,
        behind=_behind(endpoints) if server.path else None,
    )


@contextmanager
def _client_of(
    group: ProcessGroup,
    start: Callable[[ProcessGroup], RunningServer],
    requests: int,
    keep: bool,
) -> Iterator[tuple[RunningServer, subprocess.Popen[bytes]]]:
    """A server that is ready, and a client that waits for its word."""
    server = start(group)
    ask = (server.port, CONNECTIONS, requests, RATE, "keep" if keep else "close")
    client = subprocess.Popen(
        [compiled("paced", "-lm"), *map(str, ask)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=_prepare_client,
    )
    try:
        time.sleep(_SETTLE_S)
        yield server, client
    finally:
        client.kill()
        client.communicate()


def _prepare_client() -> None:
    """What it measures is the server's time, and not that of others on its own CPU."""
    prepare(LOAD_CPU)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def _measured(client: subprocess.Popen[bytes], requests: int, trace: Trace) -> list[int]:
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(b"!")
    client.stdin.flush()
    lines = list(islice(client.stdout, requests))
    if len(lines) < requests:
        raise RuntimeError(f"the client has ended after {len(lines)} of {requests} requests")
    trace.look()
    return list(map(int, lines))


def _sum(
    endpoints: Mapping[EndpointKey, EndpointTotals], wanted: Callable[[EndpointKey], bool]
) -> EndpointTotals:
    """Of all processes together."""
    return reduce(add, (totals for key, totals in endpoints.items() if wanted(key)))


def _behind(endpoints: Mapping[EndpointKey, EndpointTotals]) -> tuple[Latencies, Latencies]:
    calls, requests = (
        _sum(endpoints, lambda key, role=role: key.role == role and key.kind == "unix")
        for role in ("client", "server")
    )
    return _of_calls(calls), _of_requests(requests)


def _of_samples(samples: list[int]) -> Latencies:
    ordered = sorted(samples)
    p50, p99 = (ordered[int(share * len(ordered))] for share in (0.5, 0.99))
    return Latencies(len(ordered), sum(ordered) / len(ordered), p50, p99)


def _of_requests(totals: EndpointTotals) -> Latencies:
    return _latencies(totals.latency, totals.latency_max_ns, sum(totals.tiers.values()))


def _of_calls(totals: EndpointTotals) -> Latencies:
    """Until the answer has arrived: their time, not the client's own."""
    theirs_ns = sum(ns for key, ns in totals.tiers.items() if key.phase == "queue")
    return _latencies(totals.service, totals.service_max_ns, theirs_ns)


def _latencies(histogram: Sequence[int], max_ns: int, total_ns: int) -> Latencies:
    p50, p99 = (percentile_ns(histogram, share, max_ns) for share in (0.5, 0.99))
    count = sum(histogram)
    return Latencies(count, total_ns / count, p50, p99)

# SPDX-License-Identifier: Apache-2.0
"""What a load is to do, and what it has found: the two ends of ``load``."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from iotrace.servers.protocol import Work

from iotrace.errors import UsageError


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What the clients do.

    Closed loop (``rate`` is None): each connection sends its next request when an answer has
    come, keeping ``pipeline`` of them under way, and waits ``delay_ns`` before every send.
    Open loop: requests start at ``rate`` per second whatever the answers do, evenly or
    (``poisson``) at random; their latency counts from the moment they were due.
    ``requests`` in all are shared out among the connections; ``duration_ns`` ends the sending
    earlier. With neither, one request per connection. ``timeout_ns``: give up when for so long
    nothing has come back at all. ``reconnect``: a new connection for each request.
    """

    port: int
    host: str = "127.0.0.1"
    connections: int = 1
    requests: int | None = None
    duration_ns: int | None = None
    payload_bytes: int = 64
    think_ns: int = 0
    work: Work = Work.SLEEP
    delay_ns: int = 0
    rate: float | None = None
    poisson: bool = False
    pipeline: int = 1
    reconnect: bool = False
    seed: int = 1
    timeout_ns: int = 5 * 10**9

    def __post_init__(self) -> None:
        if self.requests is not None and self.requests < self.connections:
            raise UsageError(
                f"{self.requests} requests are too few for {self.connections} connections",
                why="every connection sends at least one",
            )
        if self.reconnect and self.pipeline > 1:
            raise UsageError("a connection for each request cannot keep several under way")
        if self.rate is not None and (self.delay_ns or self.pipeline > 1):
            raise UsageError(
                "a rate leaves no choice of delay and pipeline",
                why="an open loop sends at its rate, whatever the answers do",
            )


@dataclass(frozen=True, slots=True)
class Times:
    """A distribution: nearest-rank percentiles of every value, not of a histogram."""

    count: int
    p50: int
    p90: int
    p99: int
    max: int


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What the clients saw.

    ``requests``: answered and equal to what was sent, byte for byte. ``errors`` maps what went
    wrong to how often: "connect", "reset", "closed" (the server ended the stream too soon),
    "mismatch" (other bytes came back), "refused" (see ``refusals``), "unanswered".
    ``bytes`` counts the whole frames of ``requests``, one way. ``duration_ns``: from the first
    connect to the last answer. ``cpu_ns``: what the load itself took of a CPU.
    """

    connections: int
    requests: int
    bytes: int
    duration_ns: int
    requests_per_second: float
    latency_ns: Times | None
    connect_ns: Times | None
    cpu_ns: int
    errors: dict[str, int] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()


def times(values_ns: array[int]) -> Times | None:
    """The distribution of ``values_ns``; None when there are none."""
    if not values_ns:
        return None
    ordered = sorted(values_ns)

    def rank(percent: int) -> int:
        return ordered[-(-percent * len(ordered) // 100) - 1]

    return Times(len(ordered), rank(50), rank(90), rank(99), ordered[-1])

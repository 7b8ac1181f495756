# SPDX-License-Identifier: Apache-2.0
"""Totals of exchanges: requests on accepted connections, queries on connected ones.

The probes' records are in probes/exchanges.h; how an exchange goes on is in probes/exchanges.c.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from iotrace.snapshot.merging import (
    CountsBy,
    Histogram,
    Maximum,
    Total,
    at_maximum,
    maximum_of,
    mergeable,
)
from iotrace.snapshot.task_note import TaskNote
from iotrace.vocabulary.waits import WAIT_REASONS

PARTS = ("user", "kernel", "copy", "runq", "unaccounted", *WAIT_REASONS, "elsewhere")
"""The states that an exchange's time is split into, in the order of the probes."""


class EndpointKey(NamedTuple):
    """One listening socket, or one peer, of one process.

    ``role`` is "server" or "client", ``kind`` "tcp" or "unix". ``family``, ``address`` and
    ``port`` are the peer's, as the kernel keeps them; of a server there is only the port, its own.
    ``path`` is that of a unix socket.
    """

    pid: int
    role: str
    kind: str
    family: int
    address: bytes
    port: int
    path: bytes


class TierKey(NamedTuple):
    """A part of the time of exchanges of about the same latency.

    ``phase`` is "queue", "pickup" or "service"; ``state`` is one of PARTS, "" for the queue.
    """

    number: int
    phase: str
    state: str


@mergeable
@dataclass(frozen=True, slots=True)
class EndpointTotals:
    """All exchanges of one endpoint. ``tiers`` holds nanoseconds.

    ``setup`` is of connections: their time in the accept queue (server), or until they were
    connected (client). A client's ``service``, and the queue of its tiers, is the time until the
    answer arrived. ``late`` ...: of requests on connections that were closed as idle, see Requests.
    """

    accepted: Total
    undated: Total
    unknown: Total
    handed_over: Total
    unasked: Total
    connect_errors: Total
    cut_off: Total
    cut_off_ns: Total
    late: Total
    late_idle_ns: Total
    late_after_ns: Total
    late_at_ns: Maximum
    late_family: Annotated[int, at_maximum("late_at_ns")]
    late_peer: Annotated[bytes, at_maximum("late_at_ns")]
    in_flight_max: Maximum
    latency_max_ns: Annotated[int, maximum_of("latency")]
    setup_max_ns: Annotated[int, maximum_of("setup")]
    pickup_max_ns: Annotated[int, maximum_of("pickup")]
    service_max_ns: Annotated[int, maximum_of("service")]
    last_byte_max_ns: Annotated[int, maximum_of("last_byte")]
    latency: Histogram
    setup: Histogram
    pickup: Histogram
    service: Histogram
    last_byte: Histogram
    tiers: CountsBy[TierKey]


@dataclass(frozen=True, slots=True)
class SlowExchange:
    """One of the slowest. ``pickup_ns`` and ``service_ns`` by state; ``peer``: its raw address.

    ``stack`` made the slow call with the longest wait in it; 0: there was none.
    """

    tid: int
    arrived_ns: int
    latency_ns: int
    queue_ns: int
    family: int
    peer: bytes
    peer_port: int
    pickup_ns: Mapping[str, int]
    service_ns: Mapping[str, int]
    stack: int = 0
    call_wait_ns: int = 0
    call_nr: int = 0
    call_kind: int = 0
    task: TaskNote | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """Exchanges that have begun and are not answered; the oldest of them began at ``since_ns``,
    0: before counting began."""

    count: int
    since_ns: int


@dataclass(frozen=True, slots=True)
class ExchangeStates:
    """What is no sum: exchanges at one moment.

    ``unaccepted``: since when requests lie on connections that no traced thread has accepted,
    oldest first, by the listening TCP port; a process that is not traced may have accepted them.
    ``slowest``: since the trace began, the slowest first.
    """

    owed: Mapping[EndpointKey, Owed]
    unaccepted: Mapping[int, tuple[int, ...]]
    slowest: Mapping[EndpointKey, tuple[SlowExchange, ...]]


NO_EXCHANGES = ExchangeStates({}, {}, {})

# SPDX-License-Identifier: Apache-2.0
"""Event loops and their stalls: a part of the report's model."""

from __future__ import annotations

from dataclasses import dataclass, field

from iotrace.report.detail import FULL
from iotrace.report.stacks import StallCause
from iotrace.report.times import Quantiles


@dataclass(frozen=True, slots=True)
class Ready:
    """How many descriptors a multiplexer's call returned as ready."""

    mean: float
    max: int


@dataclass(frozen=True, slots=True)
class ReadyWatch:
    """A descriptor that a level-triggered epoll would report at once, as of the last look.

    ``event``: "EPOLLOUT" (a connected socket that it watches for writing, whose send queue is
    empty), "EPOLLRDHUP" (the peer has closed its side, all is read), "EPOLLIN" (unread data, or
    connections that wait for an accept).
    """

    fd: int
    kind: str
    peer: str
    event: str


@dataclass(frozen=True, slots=True)
class StallCall:
    """The system call in which a stalled iteration waited longest; ``fd`` None: it has none."""

    syscall: str
    kind: str
    fd: int | None
    wait_ns: int


@dataclass(frozen=True, slots=True)
class Stalls:
    """The iterations of a loop that kept it from its multiplexer for more than 50 ms: in light and
    sockets detail the times between two sleeps in it.

    ``total_ns`` = cpu + runq + the waits in calls (by reason) + waits outside calls.
    ``worst``: the longest wait in one call in any of them, None if none waited.
    """

    count: int
    total_ns: int
    cpu_ns: int
    runq_ns: int
    wait_ns: dict[str, int]
    worst: StallCall | None
    causes: tuple[StallCause, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """One thread's use of one multiplexer (select, poll, epoll_wait and their variants).

    ``empty``: returns with nothing ready; ``timeouts``: those of them that had waited;
    ``zero_timeout``: calls that were told not to wait at all;
    ``unserved``: returns with something ready after which nothing was read, written or accepted.
    ``data_iterations``: after which socket data was moved and nothing accepted;
    ``eager_reads``: of a connection that was accepted since the last return;
    ``watched``: descriptors watched, at most (None: not known), ``nfds_max``: the call's largest
    ``nfds`` (0: it has none), ``wait_ns``: time asleep in it, ``sleeps``: as in ``Call``.
    ``busy_ns``, ``busy_total_ns``: from a return to the next call; in light and sockets detail,
    where calls that do not sleep are not seen, from one sleep in it to the next: exact for an
    iteration that slept before and after, else of several iterations together.
    ``ready_watches``: some of the sockets that its epoll would report at once; only epoll tells.
    """

    tid: int
    multiplexer: str
    trigger: str | None
    watched: int | None
    iterations: int | None = field(metadata=FULL)
    empty: int | None = field(metadata=FULL)
    timeouts: int | None = field(metadata=FULL)
    ready: Ready | None = field(metadata=FULL)
    busy_ns: Quantiles | None
    zero_timeout: int | None = field(default=0, metadata=FULL)
    unserved: int | None = field(default=0, metadata=FULL)
    wait_ns: int = 0
    busy_total_ns: int | None = 0
    stalls: Stalls | None = None
    data_iterations: int | None = field(default=0, metadata=FULL)
    eager_reads: int | None = field(default=0, metadata=FULL)
    nfds_max: int = 0
    sleeps: int | None = None
    ready_watches: tuple[ReadyWatch, ...] = ()

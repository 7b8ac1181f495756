# SPDX-License-Identifier: Apache-2.0
"""Requests and calls upstream: a part of the report's model. Defined in docs/requests.md."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.report.stacks import LongestWait, RunningTask
from iotrace.report.times import Durations
from iotrace.vocabulary.waits import WAIT_REASONS

PART_STATES = (
    *("cpu", "user", "kernel", "copy", "runq"),
    *WAIT_REASONS,
    *("unaccounted", "elsewhere"),
)
"""What a pickup or a service may be made of, in the order in which it is drawn."""


@dataclass(frozen=True, slots=True)
class RequestTier:
    """The exchanges of one listener whose latency was in [from_ns, to_ns), added up.

    ``latency_ns`` = ``queue_ns`` + all of ``pickup_ns`` + all of ``service_ns``, exactly.
    ``queue_ns``: in the accept queue. The other two are by the state of the thread that served
    them: those of ``States``, wait reasons by name, and "elsewhere": in no thread's hands yet, or
    in those of a thread that is not known.
    """

    from_ns: int
    to_ns: int
    count: int
    latency_ns: int
    queue_ns: int
    pickup_ns: dict[str, int]
    service_ns: dict[str, int]


@dataclass(frozen=True, slots=True)
class SlowRequest:
    """One of the slowest exchanges; parts as in ``RequestTier``.

    ``arrived_ns``: since the beginning of the report; one that had arrived before an interval, and
    was answered in it, is below 0. ``peer``: the client's address, "" for unix
    sockets. ``tid``: the thread that answered. ``longest_wait``: of that thread in one call while
    the exchange was under way, whichever request the call was made for; None: there was no long
    one, or Python's stacks are not followed.
    """

    arrived_ns: int
    latency_ns: int
    queue_ns: int
    pickup_ns: dict[str, int]
    service_ns: dict[str, int]
    peer: str
    tid: int
    longest_wait: LongestWait | None = None
    task: RunningTask | None = None


@dataclass(frozen=True, slots=True)
class Requests:
    """All exchanges on one listening socket: from the arrival of data to the answer's first byte.

    ``latency_ns`` = queue (of the exchange) + pickup (until the first read has ended) + service
    (until the answer's first write). ``queue_ns`` is of connections: their time in the accept
    queue. ``last_byte_ns``: from the arrival to the end of the last write. None where there was
    none, or where ``several_at_once`` tells that requests overlap on a connection: then an answer
    cannot be told from another's.

    ``unanswered`` exchanges were owed an answer at the end; ``oldest_unanswered_ns``: for how long.
    ``several_at_once``: writes while another request lay there unread. ``handed_over``: read by
    another thread than the one that had the connection; ``unknown``: exchanges whose time is in
    "elsewhere", because nothing tells who had them; ``undated``: answered, but begun before the
    trace. ``per_second``: exchanges.

    ``after_close`` requests came on connections that this process had closed, as they were idle,
    and got a reset. Of all of them: ``after_close_idle_ns`` from the connection's last answer
    until it was closed, ``after_close_ns`` from there until the request came; ``after_close_peer``:
    the address of who sent the latest. None of these is an exchange.

    Of the listening socket: ``pending`` connections were in its accept queue at the end, which
    holds ``max_pending``; ``dropped`` found no room while it was traced. None: not told (a unix
    socket, or the process had ended).
    """

    listener: str
    connections: int
    exchanges: int
    unanswered: int
    oldest_unanswered_ns: int | None
    latency_ns: Durations | None
    queue_ns: Durations | None
    pickup_ns: Durations | None
    service_ns: Durations | None
    last_byte_ns: Durations | None
    tiers: tuple[RequestTier, ...] = ()
    several_at_once: int = 0
    handed_over: int = 0
    unknown: int = 0
    undated: int = 0
    after_close: int = 0
    after_close_idle_ns: int = 0
    after_close_ns: int = 0
    after_close_peer: str = ""
    exemplars: tuple[SlowRequest, ...] = ()
    per_second: float = 0.0
    pending: int | None = None
    max_pending: int | None = None
    dropped: int | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """All calls to one peer: queries on connections that this process made.

    ``theirs_ns``: from the last write of a query to the arrival of the answer, the peer's time and
    the network's. ``pickup_ns``: from there until this process had read it; ``pickup_states_ns``:
    what the thread did meanwhile, of all calls. ``in_flight_max``: calls that waited at the same
    time, over the whole trace. ``unanswered`` calls had no answer at the end;
    ``oldest_unanswered_ns``: for how long. ``connect_ns``: of connections that were established
    (None: there was none, or they are unix sockets); ``connect_errors``: of those that were not.
    ``cut_off`` queries of more than 64 bytes had no answer, as their connection was at its end;
    ``cut_off_ns``: from their last write until that was read, of all of them.
    """

    peer: str
    kind: str
    calls: int
    in_flight_max: int
    unanswered: int
    oldest_unanswered_ns: int | None
    theirs_ns: Durations | None
    pickup_ns: Durations | None
    connect_ns: Durations | None
    connect_errors: int
    pickup_states_ns: dict[str, int]
    unknown: int = 0
    cut_off: int = 0
    cut_off_ns: int = 0


@dataclass(frozen=True, slots=True)
class Workers:
    """What processes that answer on the same listener did together: the sum of their own rows.

    ``pids``: those processes, the parent among them where it answers, too; 0: its ended children.
    Of ``upstreams``, ``in_flight_max`` is that of the one that had most.
    """

    pids: tuple[int, ...]
    requests: tuple[Requests, ...]
    upstreams: tuple[Upstream, ...]

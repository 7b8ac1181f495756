# SPDX-License-Identifier: Apache-2.0
"""Rows of requests and of calls upstream."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from iotrace.engine.constants import TIER_BUCKETS, TIER_FIRST_BUCKET
from iotrace.procfs.endpoint import format_endpoint, format_unix
from iotrace.procfs.net_tables import Socket
from iotrace.report.requests import Requests, RequestTier, SlowRequest, Upstream
from iotrace.report.times import Durations
from iotrace.report_builder.descriptor_rows import open_sockets
from iotrace.report_builder.stack_rows import NO_PLACES, CallPlaces, task_row
from iotrace.snapshot import histogram
from iotrace.snapshot.exchanges import EndpointKey, EndpointTotals, Owed, SlowExchange, TierKey
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.snapshot import Snapshot

SEVERAL_AT_ONCE = 0.05
"""Of the exchanges: with more writes than that while a request lay unread, requests overlap."""
WAIT_SHARE = 0.05
"""Of a slow exchange's latency: a shorter wait is not what made it slow."""
_ADDRESS_BYTES = {2: 4, 10: 16}
"""AF_INET, AF_INET6."""


def request_rows(
    pid: int,
    snapshot: Snapshot,
    facts: ProcessFacts | None,
    unaccepted: Mapping[int, Owed],
    calls: CallPlaces = NO_PLACES,
) -> tuple[Requests, ...]:
    """One row for each listener of a process. ``unaccepted``: by port, what it is to answer."""
    rows = []
    waiting = dict(unaccepted)
    for key, totals in _endpoints(snapshot, pid, "server"):
        owed = together(snapshot.exchanges.owed.get(key), waiting.pop(key.port, None))
        if sum(totals.latency) or totals.accepted or totals.undated or totals.late or owed:
            slow = tuple(
                _slow(one, snapshot, calls)
                for one in snapshot.exchanges.slowest.get(key, ())
                if one.arrived_ns + one.latency_ns >= snapshot.from_ns  # as those that are counted
            )
            row = _requests(_listener(key, facts), totals, owed, slow, snapshot)
            rows.append(_with_queue(row, facts))
    for port, owed in waiting.items():
        key = EndpointKey(pid, "server", "tcp", 0, b"", port, b"")
        row = _requests(_listener(key, facts), None, owed, (), snapshot)
        rows.append(_with_queue(row, facts))
    return tuple(sorted(rows, key=lambda row: (-row.exchanges, row.listener)))


def upstream_rows(pid: int, snapshot: Snapshot) -> tuple[Upstream, ...]:
    """One row for each peer of a process, in the order of the time that it took."""
    rows = []
    for key, totals in _endpoints(snapshot, pid, "client"):
        owed = snapshot.exchanges.owed.get(key)
        failed = totals.connect_errors or totals.cut_off
        if sum(totals.latency) or sum(totals.setup) or failed or owed:
            cost = sum(totals.tiers.values())
            rows.append((cost, _upstream(key, totals, owed, snapshot)))
    return tuple(row for _, row in sorted(rows, key=lambda one: (-one[0], one[1].peer)))


def unaccepted_of(
    snapshot: Snapshot, facts: Mapping[int, ProcessFacts]
) -> Mapping[int, Mapping[int, Owed]]:
    """Which process (the first one that listens there) owes connections that nobody accepted."""
    owed: dict[int, dict[int, Owed]] = defaultdict(dict)
    listeners = _listeners(facts)
    for port, dates in snapshot.exchanges.unaccepted.items():
        if port in listeners:
            pid, pending = listeners[port]
            if waiting := dates[-pending:] if pending else ():
                owed[pid][port] = Owed(len(waiting), waiting[0])
    return owed


def _listeners(facts: Mapping[int, ProcessFacts]) -> dict[int, tuple[int, int]]:
    """By TCP port: the first process that listens there, and how many wait to be accepted."""
    sockets: dict[int, Socket] = {}
    pids: dict[int, int] = {}
    for pid, one in sorted(facts.items(), reverse=True):
        for inode, socket in (one.sockets or {}).items():
            if socket.kind == "tcp" and socket.state == "listen":
                sockets[inode] = socket
                pids[_port(socket)] = pid
    pending: dict[int, int] = defaultdict(int)
    for socket in sockets.values():
        pending[_port(socket)] += socket.pending or 0
    return {port: (pid, pending[port]) for port, pid in pids.items()}


def _port(socket: Socket) -> int:
    return int(socket.local.rpartition(":")[2])


def _endpoints(
    snapshot: Snapshot, pid: int, role: str
) -> Iterator[tuple[EndpointKey, EndpointTotals]]:
    for key, totals in snapshot.endpoints.items():
        if key.pid == pid and key.role == role:
            yield key, totals


def together(one: Owed | None, other: Owed | None) -> Owed | None:
    """The sum of both."""
    if one is None or other is None:
        return one or other
    return Owed(one.count + other.count, min(one.since_ns, other.since_ns))


def _age_ns(owed: Owed | None, snapshot: Snapshot) -> int | None:
    """At least, where it is older than the trace."""
    return max(0, snapshot.at_ns - (owed.since_ns or snapshot.from_ns)) if owed else None


def _listener(key: EndpointKey, facts: ProcessFacts | None) -> str:
    """Its address where /proc tells it, else the port alone."""
    if key.kind == "unix":
        return _unix(key)
    for socket in (facts.sockets or {}).values() if facts else ():
        if socket.state == "listen" and socket.local.endswith(f":{key.port}"):
            return socket.local
    return f"*:{key.port}"


def _with_queue(row: Requests, facts: ProcessFacts | None) -> Requests:
    """The row with what the kernel tells of its listening sockets (several: SO_REUSEPORT)."""
    queues = [one for one in open_sockets(facts).listeners if one.local == row.listener]
    if not queues:
        return row
    return replace(
        row,
        pending=sum(one.pending for one in queues),
        max_pending=sum(one.max_pending for one in queues),
        dropped=sum(one.dropped for one in queues),
    )


def _peer(key: EndpointKey) -> str:
    if key.kind == "unix":
        return _unix(key)
    size = _ADDRESS_BYTES.get(key.family)
    return format_endpoint(key.family, key.address[:size], key.port) if size else f"*:{key.port}"


def _unix(key: EndpointKey) -> str:
    return format_unix(key.path) or "unix:"


def _durations(counts: Sequence[int], max_ns: int) -> Durations | None:
    if not (count := sum(counts)):
        return None
    p50, p90, p99, p999 = (
        histogram.percentile_ns(counts, share, max_ns) for share in (0.5, 0.9, 0.99, 0.999)
    )
    return Durations(count, p50, p90, p99, p999, max_ns, histogram.used(counts, max_ns))


def _requests(
    listener: str,
    totals: EndpointTotals | None,
    owed: Owed | None,
    slow: tuple[SlowRequest, ...],
    snapshot: Snapshot,
) -> Requests:
    unanswered, oldest = owed.count if owed else 0, _age_ns(owed, snapshot)
    if totals is None:
        return Requests(listener, 0, 0, unanswered, oldest, None, None, None, None, None)
    exchanges = sum(totals.latency)
    row = Requests(
        listener=listener,
        connections=totals.accepted,
        exchanges=exchanges,
        unanswered=unanswered,
        oldest_unanswered_ns=oldest,
        latency_ns=_durations(totals.latency, totals.latency_max_ns),
        queue_ns=_durations(totals.setup, totals.setup_max_ns),
        pickup_ns=_durations(totals.pickup, totals.pickup_max_ns),
        service_ns=_durations(totals.service, totals.service_max_ns),
        last_byte_ns=_durations(totals.last_byte, totals.last_byte_max_ns),
        tiers=_tiers(totals),
        several_at_once=totals.unasked,
        handed_over=totals.handed_over,
        unknown=totals.unknown,
        undated=totals.undated,
        after_close=totals.late,
        after_close_idle_ns=totals.late_idle_ns,
        after_close_ns=totals.late_after_ns,
        after_close_peer=_address(totals.late_family, totals.late_peer) if totals.late else "",
        exemplars=slow,
        per_second=exchanges * 1e9 / max(snapshot.at_ns - snapshot.from_ns, 1),
    )
    if totals.unasked <= SEVERAL_AT_ONCE * exchanges:
        return row
    return replace(row, latency_ns=None, service_ns=None, last_byte_ns=None, tiers=(), exemplars=())


def _address(family: int, raw: bytes) -> str:
    """Without its port; "" for none."""
    size = _ADDRESS_BYTES.get(family)
    return format_endpoint(family, raw[:size], 0).rpartition(":")[0] if size else ""


def _tiers(totals: EndpointTotals) -> tuple[RequestTier, ...]:
    by_number: dict[int, dict[TierKey, int]] = defaultdict(dict)
    for key, ns in totals.tiers.items():
        if ns:
            by_number[key.number][key] = ns
    return tuple(_tier(number, by_number[number], totals) for number in sorted(by_number))


def _tier(number: int, parts: Mapping[TierKey, int], totals: EndpointTotals) -> RequestTier:
    low = TIER_FIRST_BUCKET + TIER_BUCKETS * (number - 1) if number else 0
    high = low + TIER_BUCKETS if number else TIER_FIRST_BUCKET
    return RequestTier(
        from_ns=histogram.bounds_ns(low, histogram.FINE_SUB_BITS)[0],
        to_ns=histogram.bounds_ns(high - 1, histogram.FINE_SUB_BITS)[1],
        count=sum(totals.latency[low:high]),
        latency_ns=sum(parts.values()),
        queue_ns=sum(ns for key, ns in parts.items() if key.phase == "queue"),
        pickup_ns={key.state: ns for key, ns in parts.items() if key.phase == "pickup"},
        service_ns={key.state: ns for key, ns in parts.items() if key.phase == "service"},
    )


def _waits(one: SlowExchange) -> bool:
    return one.stack != 0 and one.call_wait_ns >= WAIT_SHARE * one.latency_ns


def _slow(one: SlowExchange, snapshot: Snapshot, calls: CallPlaces) -> SlowRequest:
    size = _ADDRESS_BYTES.get(one.family)
    return SlowRequest(
        arrived_ns=one.arrived_ns - snapshot.from_ns,
        latency_ns=one.latency_ns,
        queue_ns=one.queue_ns,
        pickup_ns=dict(one.pickup_ns),
        service_ns=dict(one.service_ns),
        peer=format_endpoint(one.family, one.peer[:size], one.peer_port) if size else "",
        tid=one.tid,
        longest_wait=calls.longest_wait(one) if _waits(one) else None,
        task=task_row(one.task),
    )


def _upstream(
    key: EndpointKey, totals: EndpointTotals, owed: Owed | None, snapshot: Snapshot
) -> Upstream:
    states: dict[str, int] = defaultdict(int)
    for tier, ns in totals.tiers.items():
        if tier.phase == "pickup" and ns:
            states[tier.state] += ns
    return Upstream(
        peer=_peer(key),
        kind=key.kind,
        calls=sum(totals.latency),
        in_flight_max=totals.in_flight_max,
        unanswered=owed.count if owed else 0,
        oldest_unanswered_ns=_age_ns(owed, snapshot),
        theirs_ns=_durations(totals.service, totals.service_max_ns),
        pickup_ns=_durations(totals.pickup, totals.pickup_max_ns),
        connect_ns=_durations(totals.setup, totals.setup_max_ns),
        connect_errors=totals.connect_errors,
        pickup_states_ns=dict(states),
        unknown=totals.unknown,
        cut_off=totals.cut_off,
        cut_off_ns=totals.cut_off_ns,
    )

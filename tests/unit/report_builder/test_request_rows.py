"""From totals of endpoints to rows of requests and of calls upstream."""

from __future__ import annotations

import socket
from dataclasses import replace

from iotrace.procfs.tcp_state import TcpState
from iotrace.pystack import code_objects
from iotrace.report_builder.request_rows import request_rows, unaccepted_of, upstream_rows
from iotrace.report_builder.stack_rows import CallPlaces
from iotrace.snapshot import merging
from iotrace.snapshot.exchanges import (
    EndpointKey,
    ExchangeStates,
    Owed,
    TierKey,
)
from iotrace.vocabulary.kinds import Kind
from tests.unit.report_builder.endpoints import LISTENER as _LISTENER
from tests.unit.report_builder.endpoints import MS as _MS
from tests.unit.report_builder.endpoints import PEER as _PEER
from tests.unit.report_builder.endpoints import SLOW as _SLOW
from tests.unit.report_builder.endpoints import facts as _facts
from tests.unit.report_builder.endpoints import listening as _listening
from tests.unit.report_builder.endpoints import snapshot as _snapshot
from tests.unit.report_builder.endpoints import times as _times
from tests.unit.report_builder.endpoints import totals as _totals


def test_tiers_have_their_bounds_and_their_exchanges() -> None:
    totals = _totals(
        latency=_times(159, 160, 162, 163, 164),
        latency_max_ns=100_000,
        tiers={
            TierKey(0, "pickup", "user"): 5,
            TierKey(1, "queue", ""): 7,
            TierKey(1, "service", "sleep"): 9,
            TierKey(1, "pickup", "runq"): 0,
            TierKey(2, "service", "user"): -2,
        },
    )
    (row,) = request_rows(7, _snapshot({_LISTENER: totals}), None, {})
    below, first, second = row.tiers
    assert (below.from_ns, below.to_ns, below.count) == (0, 65536, 1)
    assert (first.from_ns, first.to_ns, first.count) == (65536, 81920, 3)
    assert (second.from_ns, second.to_ns, second.count) == (81920, 98304, 1)
    assert (first.queue_ns, first.pickup_ns, first.service_ns) == (7, {}, {"sleep": 9})
    assert (first.latency_ns, second.latency_ns) == (16, -2)
    assert (row.listener, row.exchanges) == ("*:8000", 5)


def test_a_listener_has_the_address_that_proc_tells() -> None:
    snapshot = _snapshot({_LISTENER: _totals(accepted=1)})
    (row,) = request_rows(7, snapshot, _facts(7, _listening("0.0.0.0:8000", 0)), {})
    assert (row.listener, row.connections, row.latency_ns) == ("0.0.0.0:8000", 1, None)


def test_a_listener_has_its_rate_and_its_accept_queue() -> None:
    snapshot = _snapshot({_LISTENER: _totals(latency=_times(80, 80, 81), latency_max_ns=90_000)})
    facts = _facts(7, _listening("0.0.0.0:8000", 3), _listening("0.0.0.0:8000", 4, inode=6))
    states = {5: TcpState(9, False, 0, 0, 16, 2), 6: TcpState(10, False, 0, 0, 16, 11)}
    (row,) = request_rows(7, snapshot, replace(facts, tcp=states), {})
    assert (row.per_second, row.pending, row.max_pending, row.dropped) == (300, 7, 32, 13)
    (row,) = request_rows(7, snapshot, None, {})
    assert (row.pending, row.max_pending, row.dropped) == (None, None, None)


def test_the_longest_wait_of_a_slow_exchange_has_its_line() -> None:
    waited = replace(_SLOW, stack=77, call_wait_ns=_MS, call_nr=45, call_kind=Kind.TCP)
    short = replace(waited, call_wait_ns=_MS // 100)
    states = ExchangeStates({}, {}, {_LISTENER: (waited, short, _SLOW)})
    snapshot = _snapshot({_LISTENER: _totals(latency=_times(130, 130, 130))}, states)
    frames = (code_objects.Frame("get", "/srv/orders.py", 88, False),)
    (row,) = request_rows(7, snapshot, None, {}, CallPlaces({45: "recvfrom"}, {77: frames}))
    wait = row.exemplars[0].longest_wait
    assert wait is not None
    assert (wait.syscall, wait.kind, wait.wait_ns) == ("recvfrom", "tcp", _MS)
    assert [frame.place for frame in wait.stack] == ["orders.py:88"]
    assert [one.longest_wait for one in row.exemplars[1:]] == [None, None]


def test_a_unix_socket_is_named_by_its_path() -> None:
    key = EndpointKey(7, "server", "unix", 0, bytes(16), 0, b"/run/app.sock")
    (row,) = request_rows(7, _snapshot({key: _totals(accepted=1)}), None, {})
    assert row.listener == "unix:/run/app.sock"


def test_what_is_owed_has_an_age() -> None:
    states = ExchangeStates({_LISTENER: Owed(3, 100)}, {}, {})
    snapshot = _snapshot({_LISTENER: _totals()}, states)
    (row,) = request_rows(7, snapshot, None, {8000: Owed(2, 100 + 4 * _MS)})
    assert (row.unanswered, row.oldest_unanswered_ns) == (5, 10 * _MS)


def test_a_listener_that_never_accepted_owes_what_waits_there() -> None:
    facts = {7: _facts(7, _listening("0.0.0.0:8000", 2))}
    states = ExchangeStates({}, {8000: (10, 100, 100 + 4 * _MS), 9999: (5,)}, {})
    snapshot = _snapshot({}, states)
    waiting = unaccepted_of(snapshot, facts)
    assert waiting == {7: {8000: Owed(2, 100)}}, "another process has accepted the first one"
    (row,) = request_rows(7, snapshot, facts[7], waiting[7])
    assert (row.listener, row.exchanges, row.unanswered) == ("0.0.0.0:8000", 0, 2)


def test_the_first_of_several_processes_owes_what_nobody_has_accepted() -> None:
    shared = _listening("0.0.0.0:8000", 1)
    facts = {pid: _facts(pid, shared) for pid in (9, 7, 8)}
    states = ExchangeStates({}, {8000: (100,)}, {})
    assert unaccepted_of(_snapshot({}, states), facts) == {7: {8000: Owed(1, 100)}}


def test_the_slowest_are_those_of_the_interval() -> None:
    before = replace(_SLOW, arrived_ns=50, latency_ns=49)
    states = ExchangeStates({}, {}, {_LISTENER: (before, _SLOW)})
    totals = _totals(latency=_times(100), latency_max_ns=2 * _MS)
    (row,) = request_rows(7, _snapshot({_LISTENER: totals}, states), None, {})
    (slow,) = row.exemplars
    assert (slow.arrived_ns, slow.peer, slow.tid) == (50, "127.0.0.1:4242", 8)
    assert slow.queue_ns + sum(slow.pickup_ns.values()) + sum(slow.service_ns.values()) == 2 * _MS


def test_where_requests_overlap_there_are_no_latencies_but_pickups() -> None:
    totals = _totals(latency=_times(*[90] * 20), pickup=_times(*[80] * 20), unasked=2)
    (row,) = request_rows(7, _snapshot({_LISTENER: totals}), None, {})
    assert (row.latency_ns, row.service_ns, row.tiers, row.several_at_once) == (None, None, (), 2)
    assert row.pickup_ns is not None
    (fine,) = request_rows(7, _snapshot({_LISTENER: replace(totals, unasked=1)}), None, {})
    assert fine.latency_ns is not None


def test_a_peer_with_its_times_and_the_states_of_the_pickup() -> None:
    totals = _totals(
        latency=_times(100, 100),
        service=_times(90, 90),
        service_max_ns=_MS,
        in_flight_max=2,
        connect_errors=3,
        cut_off=5,
        cut_off_ns=70,
        tiers={
            TierKey(9, "queue", ""): 100,
            TierKey(9, "pickup", "sleep"): 5,
            TierKey(10, "pickup", "sleep"): 6,
        },
    )
    states = ExchangeStates({_PEER: Owed(1, 100)}, {}, {})
    other = replace(totals, tiers={TierKey(9, "queue", ""): 1_000})
    nearer = _PEER._replace(port=5433)
    rows = upstream_rows(7, _snapshot({_PEER: totals, nearer: other}, states))
    assert [row.peer for row in rows] == ["10.0.0.7:5433", "10.0.0.7:5432"], "the costliest first"
    row = rows[1]
    assert (row.calls, row.in_flight_max, row.unanswered, row.connect_errors) == (2, 2, 1, 3)
    assert (row.cut_off, row.cut_off_ns) == (5, 70)
    assert row.pickup_states_ns == {"sleep": 11}
    assert row.connect_ns is None
    assert row.theirs_ns is not None
    assert row.theirs_ns.count == 2


def test_an_endpoint_that_nothing_came_of_has_no_row() -> None:
    snapshot = _snapshot({_LISTENER: _totals(), _PEER: _totals()})
    assert request_rows(7, snapshot, None, {}) == ()
    assert upstream_rows(7, snapshot) == ()


def test_requests_after_the_close_have_the_address_of_the_latest() -> None:
    peer = bytes([127, 0, 48, 1, *[0] * 12])
    late = {"late_idle_ns": 10, "late_after_ns": 6, "late_family": socket.AF_INET}
    totals = _totals(late=2, late_at_ns=9, late_peer=peer, **late)
    before = replace(totals, late=1, late_at_ns=5, late_peer=bytes(16))
    (row,) = request_rows(7, _snapshot({_LISTENER: merging.add(before, totals)}), None, {})
    assert (row.after_close, row.after_close_idle_ns, row.after_close_ns) == (3, 20, 12)
    assert row.after_close_peer == "127.0.48.1"
    later = merging.subtract(totals, totals)  # an interval in which there was none
    (row,) = request_rows(7, _snapshot({_LISTENER: replace(later, accepted=1)}), None, {})
    assert (row.after_close, row.after_close_peer) == (0, "")

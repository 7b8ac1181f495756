"""Worker processes: who they are, and that their sum is that of one process."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.worker_sums import by_parent, by_worker
from iotrace.report_builder.worker_rows import worker_rows, workers_of
from iotrace.snapshot.exchanges import ExchangeStates, Owed
from tests.unit import reports
from tests.unit.report_builder.endpoints import (
    LISTENER,
    MS,
    PEER,
    SLOW,
    facts,
    listening,
    snapshot,
    times,
    totals,
)
from tests.unit.request_rows import requests, upstream

_PARENTS = {1: None, 7: 1, 8: 1, 9: 1}
_ONE, _TWO = LISTENER._replace(pid=7), LISTENER._replace(pid=8)
_OTHER = LISTENER._replace(pid=9, port=9000)
_ANSWERED = totals(latency=times(100), accepted=1)


def test_children_that_share_a_listener_are_workers() -> None:
    endpoints = {_ONE: _ANSWERED, _TWO: _ANSWERED, _OTHER: _ANSWERED}
    assert workers_of(snapshot(endpoints), _PARENTS) == {1: {7, 8}}


def test_a_parent_that_answers_too_is_one_of_them() -> None:
    endpoints = {_ONE: _ANSWERED, LISTENER._replace(pid=1): _ANSWERED}
    assert workers_of(snapshot(endpoints), _PARENTS) == {1: {1, 7}}


def test_children_that_have_ended_are_one_of_them() -> None:
    endpoints = {_ONE: _ANSWERED, LISTENER._replace(pid=-1): _ANSWERED}
    assert workers_of(snapshot(endpoints), {**_PARENTS, -1: 1}) == {1: {-1, 7}}


def test_one_child_or_strangers_are_no_workers() -> None:
    nothing = totals()
    assert workers_of(snapshot({_ONE: _ANSWERED, _TWO: nothing}), _PARENTS) == {}
    assert workers_of(snapshot({_ONE: _ANSWERED, _TWO: _ANSWERED}), {7: 1, 8: 2}) == {}


def test_the_sum_is_that_of_one_process() -> None:
    endpoints = {
        _ONE: totals(latency=times(100, 120), latency_max_ns=5 * MS, accepted=1),
        _TWO: totals(latency=times(100, 160), latency_max_ns=9 * MS, accepted=2),
        _OTHER: _ANSWERED,
        PEER._replace(pid=7): totals(latency=times(90), in_flight_max=2),
        PEER._replace(pid=8): totals(latency=times(90, 90), in_flight_max=5),
    }
    slower = replace(SLOW, latency_ns=3 * MS, tid=99)
    states = ExchangeStates(
        {_ONE: Owed(2, 100 + MS), _TWO: Owed(1, 100)}, {}, {_ONE: (SLOW,), _TWO: (slower,)}
    )
    known = {8: facts(8, listening("127.0.0.1:8000", 0))}
    waiting = {7: {8000: Owed(4, 100 + 2 * MS)}}
    found = worker_rows(1, frozenset({7, 8}), snapshot(endpoints, states), known, waiting)
    (row,), (peer,) = found.requests, found.upstreams
    assert (found.pids, row.listener) == ((7, 8), "127.0.0.1:8000")
    assert (row.exchanges, row.connections) == (4, 3)
    assert (row.unanswered, row.oldest_unanswered_ns) == (7, 10 * MS)
    assert row.latency_ns is not None
    assert (row.latency_ns.count, row.latency_ns.max) == (4, 9 * MS)
    assert [count for _, _, count in row.latency_ns.histogram] == [2, 1, 1]
    assert [slow.tid for slow in row.exemplars] == [99, 8]
    assert (peer.calls, peer.in_flight_max) == (3, 5)


def test_rows_are_shown_once() -> None:
    row, peer = requests("a:1", "user", "x"), upstream("b:2", "tcp", "user")
    parent = replace(reports.process(), pid=1, parent=None, upstreams=(peer,))
    worker = replace(parent, pid=7, parent=1, requests=(row,))
    other = replace(worker, pid=8)
    found = worker_rows(1, frozenset({7}), snapshot({_ONE: _ANSWERED}), {}, {})
    master = replace(parent, workers=found)
    report = reports.report(master, worker, other)
    shown = by_parent(report).processes
    assert [len(one.requests) for one in shown] == [1, 0, 1]
    assert [len(one.upstreams) for one in shown] == [1, 0, 1], "the parent's own call is its own"
    each = by_worker(report).processes
    assert [len(one.requests) for one in each] == [0, 1, 1]
    assert each[0].workers is None

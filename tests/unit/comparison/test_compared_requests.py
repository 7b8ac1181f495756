"""Requests and calls upstream of two recordings."""

from __future__ import annotations

import random
from dataclasses import replace

from iotrace.comparison.compared_figures import Key, figures_of
from iotrace.comparison.comparison import Comparison, Difference
from iotrace.comparison.differences import compare, regressions
from iotrace.output import comparison_page
from iotrace.output.view_options import View
from iotrace.recording.recording import Recording, as_sample
from iotrace.report.codec import from_dict, to_dict
from iotrace.report.model import Report, Workers
from iotrace.report.requests import Requests, Upstream
from iotrace.report.times import Durations
from tests.unit import reports
from tests.unit.light import lit_report
from tests.unit.reports import MS, US
from tests.unit.request_rows import LISTENER, TIMES

_NAMES = ("a.iot", "b.iot")
_WHERE = LISTENER.listener
_PEER = Upstream(
    "10.0.0.7:5432", "tcp", 2742, 3, 0, None, TIMES, replace(TIMES, p50=40 * US, p99=90 * US),
    None, 0, {},
)  # fmt: skip


def _times(times: Durations | None, factor: float) -> Durations | None:
    return times and replace(
        times, p50=int(times.p50 * factor), p99=int(times.p99 * factor), max=2**40
    )


def _listener(latency: float = 1.0, pickup: float = 1.0) -> Requests:
    return replace(
        LISTENER,
        latency_ns=_times(LISTENER.latency_ns, latency),
        pickup_ns=_times(replace(TIMES, p50=US, p99=MS), pickup),
    )


def _peer(theirs: float = 1.0, pickup: float = 1.0) -> Upstream:
    return replace(
        _PEER,
        theirs_ns=_times(_PEER.theirs_ns, theirs),
        pickup_ns=_times(_PEER.pickup_ns, pickup),
    )


def _recorded(row: Requests, peer: Upstream, seed: int = 1) -> Recording:
    dice = random.Random(seed)
    samples = []
    for number in range(1, 11):
        like = dice.gauss(1.0, 0.01)
        jittered = replace(row, latency_ns=_times(row.latency_ns, like))
        samples.append(as_sample(replace(_report(jittered, peer), interval=number)))
    return Recording(_report(row, peer), tuple(samples))


def _report(row: Requests, peer: Upstream) -> Report:
    return reports.report(reports.process(pid=7, name="api", requests=(row,), upstreams=(peer,)))


def _found(both: Comparison, section: str, figure: str) -> Difference:
    (one,) = (row for row in getattr(both, section) if row.figure == figure)
    assert isinstance(one, Difference)
    return one


def _page(both: Comparison) -> str:
    return " ".join(comparison_page.render(both, "table", View()).split())


def test_latencies_and_their_parts_by_listener_and_by_peer() -> None:
    figures = figures_of(_report(_listener(), _peer()))
    assert figures[Key("requests", "api", _WHERE, "per_s")] == 336.6
    assert figures[Key("requests", "api", _WHERE, "p50_ns")] == 237 * US
    assert figures[Key("requests", "api", _WHERE, "p99_service_ns")] == 41 * MS
    assert figures[Key("requests", "api", _WHERE, "p99_queue_ns")] == 50 * US
    assert figures[Key("upstreams", "api", _PEER.peer, "p99_theirs_ns")] == 46 * MS
    assert figures[Key("upstreams", "api", _PEER.peer, "p50_pickup_ns")] == 40 * US
    assert Key("upstreams", "api", _PEER.peer, "p99_connect_ns") not in figures


def test_a_slower_server_is_a_regression_and_a_quicker_one_is_none() -> None:
    before, after = _recorded(_listener(), _peer()), _recorded(_listener(2.0), _peer())
    both = compare(before, after, _NAMES)
    worse = {(one.what, one.figure) for one in regressions(both, 90)}
    assert worse == {(_WHERE, "p50_ns"), (_WHERE, "p99_ns")}
    assert regressions(both, 110) == ()
    assert _found(both, "requests", "p99_service_ns").verdict == "same"
    back = compare(after, before, _NAMES)
    assert _found(back, "requests", "p99_ns").verdict == "better"
    assert regressions(back, 0) == ()


def test_a_slower_peer_is_a_regression_of_the_peer() -> None:
    both = compare(_recorded(_listener(), _peer()), _recorded(_listener(), _peer(3.0)), _NAMES)
    worse = {(one.what, one.figure) for one in regressions(both, 0)}
    assert worse == {(_PEER.peer, "p50_theirs_ns"), (_PEER.peer, "p99_theirs_ns")}


def test_a_part_counts_from_what_the_whole_is_told_apart_by() -> None:
    """7 % of a p99 of 46 ms are 3.2 ms: a pickup of 1 ms that triples does not matter, 9 ms do."""
    before = _recorded(_listener(), _peer())
    triple = compare(before, _recorded(_listener(pickup=3.0), _peer(pickup=3.0)), _NAMES)
    assert _found(triple, "requests", "p99_pickup_ns").verdict == "same"
    assert _found(triple, "upstreams", "p99_pickup_ns").verdict == "same"
    tenfold = compare(before, _recorded(_listener(pickup=9.0), _peer(pickup=99.0)), _NAMES)
    assert _found(tenfold, "requests", "p99_pickup_ns").verdict == "worse"
    assert _found(tenfold, "upstreams", "p99_pickup_ns").verdict == "worse"


def test_workers_are_compared_by_their_sum() -> None:
    row, peer = _listener(), _peer()
    master = reports.process(
        pid=1, name="api", workers=Workers((7, 8), (replace(row, exchanges=5000),), ())
    )
    each = [
        reports.process(pid=pid, parent=1, name="api", requests=(row,), upstreams=(peer,))
        for pid in (7, 8)
    ]
    figures = figures_of(reports.report(master, *each))
    assert figures[Key("requests", "api", _WHERE, "per_s")] == 500.0
    assert not [key for key in figures if key.section == "upstreams"]


def test_where_one_side_cannot_know_of_requests_that_is_said() -> None:
    new = _recorded(_listener(), _peer())
    old = {**to_dict(replace(new.report, processes=())), "schema": "iotrace.report/1"}
    both = compare(Recording(from_dict(old)), new, _NAMES)
    assert (both.requests, both.upstreams) == ((), ())
    said = "Requests and calls upstream are not compared. a has none: files of version 1 have none."
    assert said in _page(both)
    light = Recording(lit_report(new.report), tuple(map(lit_report, new.samples)))
    both = compare(new, light, _NAMES)
    assert both.requests == ()
    said = "not compared. b has none: light detail has no probe on sockets."
    assert said in _page(both)
    assert "not compared" not in _page(compare(new, new, _NAMES))


def test_a_listener_that_only_one_side_has_is_new_or_gone() -> None:
    other = _recorded(replace(_listener(), listener="*:9000"), _peer())
    both = compare(_recorded(_listener(), _peer()), other, _NAMES)
    verdicts = {one.what: one.verdict for one in both.requests}
    assert verdicts == {_WHERE: "gone", "*:9000": "new"}
    assert regressions(both, 0) == ()

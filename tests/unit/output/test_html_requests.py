"""The page's pictures of requests: parts follow each other, and add up to the latency."""

from __future__ import annotations

import re
from dataclasses import replace

from iotrace.output.html import latency_pictures
from iotrace.report.requests import Requests, Upstream, Workers
from iotrace.report.times import Durations
from tests.unit.histograms import spread
from tests.unit.reports import MS, US, process
from tests.unit.request_rows import LISTENER, TIMES

_HISTOGRAM = spread(237 * US, 3366)
_ROW = replace(LISTENER, latency_ns=replace(TIMES, histogram=_HISTOGRAM))
_PEER = Upstream(
    "127.0.0.1:5432", "tcp", 2742, 3, 2, 40 * MS, replace(TIMES, histogram=_HISTOGRAM),
    replace(TIMES, p50=41 * US), None, 0, {"user": 30 * MS, "runq": 10 * MS},
)  # fmt: skip


def _bars(shown: str) -> list[list[tuple[str, float, float]]]:
    """Of each bar its slices: class, where it begins, how wide it is, of 1,000."""
    slices = re.compile(r'<rect x="([\d.]+)" y="0" width="([\d.]+)" height="20" class="s-(\w+)"/>')
    return [
        [(name, float(x), float(wide)) for x, wide, name in slices.findall(bar)]
        for bar in re.findall(r'<svg viewBox="0 0 1000 20".*?</svg>', shown)
    ]


def test_the_parts_of_the_typical_and_the_slowest_follow_each_other() -> None:
    bars = _bars(latency_pictures.section(process(requests=(_ROW,))))
    typical_pickup, typical_service, queue, pickup, service, _ = bars
    assert typical_pickup == [
        ("user", 0.0, 204.08), ("runq", 204.08, 132.65), ("poll", 336.73, 61.22),
    ]  # fmt: skip
    assert typical_service == [("user", 397.96, 581.63), ("kernel", 979.59, 20.41)]
    assert queue == [("queue", 0.0, 130.43)]
    assert pickup == [("runq", 130.43, 43.48), ("sleep", 173.91, 478.26)]
    assert service == [("sleep", 652.17, 347.83)]


def test_the_exemplars_share_a_scale_and_mark_where_the_pickup_ends() -> None:
    half = replace(
        _ROW.exemplars[0], latency_ns=66 * MS + 500 * US, pickup_ns={"runq": 46 * MS},
        service_ns={"elsewhere": 20 * MS + 500 * US},
    )  # fmt: skip
    shown = latency_pictures.section(
        process(requests=(replace(_ROW, exemplars=(*_ROW.exemplars, half)),))
    )
    whole, shorter = _bars(shown)[-2:]
    assert whole == [
        ("runq", 0.0, 691.73), ("user", 691.73, 7.52), ("sleep", 699.25, 300.75),
        ("mark", 690.73, 2.0),
    ]  # fmt: skip
    assert shorter == [
        ("runq", 0.0, 345.86), ("elsewhere", 345.86, 154.14), ("mark", 344.86, 2.0),
    ]  # fmt: skip
    assert "7.89 s 127.0.0.1:54036" in shown


def test_the_histogram_shows_which_latencies_are_split() -> None:
    shown = latency_pictures.section(process(requests=(_ROW,)))
    assert shown.count('class="typical"') == shown.count('class="slowest"') == 1
    assert "the typical: 2,328 requests, on average 98.0 us" in shown
    assert "the slowest: 38 requests, on average 46.0 ms" in shown
    assert "latency: p50 237 us, p99 46.0 ms, max 133 ms" in shown


def test_a_state_of_another_version_is_not_accounted_for() -> None:
    tier = replace(_ROW.tiers[1], service_ns={"<b>": 137352 * US})
    shown = latency_pictures.section(process(requests=(replace(_ROW, tiers=(tier,)),)))
    assert _bars(shown)[1] == [("unaccounted", 397.96, 602.04)]
    assert "<b>&lt;" not in shown and "s-&lt;" not in shown


def test_only_listeners_that_have_answered_are_drawn() -> None:
    overlapping = replace(_ROW, latency_ns=None, tiers=(), exemplars=())
    idle = Requests("*:9001", 0, 0, 0, None, None, None, None, None, None)
    assert latency_pictures.section(process(requests=(overlapping, idle))) == ""
    shown = latency_pictures.section(process(requests=(overlapping, *[_ROW] * 9)))
    assert shown.count("<figure") == 6
    assert "… and 3 more listeners" in shown


def test_the_sum_of_workers_says_so() -> None:
    workers = Workers((7, 8), (_ROW,), ())
    shown = latency_pictures.section(process(requests=(_ROW,), workers=workers))
    assert "Of 2 processes together." in shown
    assert "together" not in latency_pictures.section(process(requests=(_ROW,)))


def test_of_a_peer_their_time_and_ours() -> None:
    shown = latency_pictures.upstreams(process(upstreams=(_PEER,)))
    assert _bars(shown) == [[("user", 0.0, 750.0), ("runq", 750.0, 250.0)]]
    assert "theirs: p50 237 us" in shown
    assert "our pickup: p50 41.0 us" in shown
    assert "2,742 calls, 3 at once at most; 2 not answered at the end, the oldest for 40.0 ms" in (
        shown
    )
    assert "to connect" not in shown
    assert latency_pictures.upstreams(process(upstreams=(replace(_PEER, theirs_ns=None),))) == ""


def test_latencies_of_nothing_and_below_nothing_are_drawn_as_well() -> None:
    zero = Durations(1, 0, 0, 0, 0, 0)
    tier = replace(_ROW.tiers[0], latency_ns=0, pickup_ns={"kernel": -5, "copy": 5}, service_ns={})
    shown = latency_pictures.section(
        process(requests=(replace(_ROW, latency_ns=zero, tiers=(tier,)),))
    )
    assert "nan" not in shown and "inf" not in shown

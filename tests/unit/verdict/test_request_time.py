"""A server that few ask: what its users wait for is a share of their requests' time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Process
from iotrace.report.requests import Requests, RequestTier, Upstream
from iotrace.report.times import Durations
from iotrace.verdict.process_profile import profile_of
from iotrace.verdict.request_time import Whole, whole_of
from tests.unit.verdict.made import MS, S, blocking, call, descriptor, findings, in_call, line_of

_ASKING = ("app.py:9 index", "lib/site-packages/flask/app.py:9 Flask.wsgi_app")


def _rarely(one: Process, count: int, **service: int) -> Process:
    """``service``: of each of so many requests in ten seconds."""
    took = Durations(count, *(sum(service.values()),) * 5)
    parts = {state: count * each for state, each in service.items()}
    tier = RequestTier(0, 10 * S, count, sum(parts.values()), 0, {}, parts)
    row = Requests("127.0.0.1:8000", 1, count, 0, None, took, None, None, took, None, tiers=(tier,))
    return replace(one, requests=(row,))


def _connects(each: int, made: int = 40) -> Process:
    """Connections and logins in ten seconds."""
    one = blocking()
    shakes = in_call("poll", "tcp", "lib/ssl.py:1379 SSLSocket.do_handshake", *_ASKING, fd=8)
    peer = descriptor(
        8, local="127.0.0.1:51008", peer="10.0.0.9:443", wait=made * each, opened=made
    )
    times = Durations(made, *(MS,) * 5)
    asked = Upstream("10.0.0.9:443", "tcp", 2 * made, 1, 0, None, None, None, times, 0, {})
    return replace(
        one,
        descriptors=(*one.descriptors, peer),
        lines=(line_of(shakes, made, made * each, each),),
        upstreams=(asked,),
    )


def _asks(each: int) -> Process:
    """Five calls of a slow peer."""
    one = blocking()
    row = descriptor(
        8, local="127.0.0.1:51000", peer="10.0.0.9:5432", wait=5 * each, nonblocking=False
    )
    return replace(one, descriptors=(*one.descriptors, row))


def _reads_files(each: int) -> Process:
    one = blocking()
    return replace(one, calls=(*one.calls, call("read", "file", 5, wait=5 * each, longest=each)))


@pytest.mark.parametrize(
    ("rule", "one", "service", "severity"),
    [
        # Most of each request, and yet a few milliseconds: not grave.
        ("IO179", _connects(3 * MS), {"poll": 3 * MS, "user": 2 * MS}, "medium"),
        ("IO179", _connects(3 * MS), {"poll": 3 * MS, "user": 97 * MS}, ""),
        ("IO179", _connects(3 * MS), {"user": 5 * MS}, ""),  # not made for requests
        ("IO119", _asks(300 * MS), {"recv": 300 * MS, "user": 20 * MS}, "high"),
        ("IO119", _asks(90 * MS), {"recv": 90 * MS, "user": 10 * MS}, ""),  # nobody minds
        ("IO119", _asks(300 * MS), {"user": 300 * MS}, ""),
        ("IO152", _reads_files(150 * MS), {"file": 150 * MS, "user": MS}, "high"),
        ("IO152", _reads_files(30 * MS), {"file": 30 * MS, "user": 5 * MS}, ""),
    ],
)
def test_shares_are_of_the_requests_time(
    rule: str, one: Process, service: dict[str, int], severity: str
) -> None:
    count = 40 if rule == "IO179" else 5
    found = findings(_rarely(one, count, **service))
    assert (found[rule].severity if rule in found else "") == severity
    assert rule not in findings(one)  # of the trace it is a small share


@pytest.mark.parametrize(("requests", "told"), [(5, True), (9, False)])
def test_one_connection_for_each_request_is_often(requests: int, told: bool) -> None:
    one = _connects(30 * MS, 5)
    assert ("IO179" in findings(_rarely(one, requests, poll=40 * MS))) is told


def test_what_does_not_fit_into_requests_is_a_share_of_the_trace() -> None:
    seen = profile_of(_rarely(blocking(), 5, recv=100 * MS, user=20 * MS), 10 * S)
    assert whole_of(500 * MS, seen, states=("recv",)) == Whole(600 * MS, 5, 5)
    assert whole_of(510 * MS, seen, states=("recv",)) == Whole(10 * S)
    assert whole_of(500 * MS, seen, slow_ns=121 * MS) == Whole(10 * S)
    assert whole_of(500 * MS, seen, otherwise_ns=599 * MS) == Whole(599 * MS)
    few = profile_of(_rarely(blocking(), 2, recv=100 * MS), 10 * S)
    assert whole_of(200 * MS, few) == Whole(10 * S)
    for state in ("lock", "elsewhere"):  # another thread waits for the peer meanwhile
        handed = profile_of(_rarely(blocking(), 5, user=20 * MS, **{state: 100 * MS}), 10 * S)
        assert whole_of(500 * MS, handed, states=("recv",)) == Whole(600 * MS, 5, 5)


def test_a_few_outliers_are_not_the_requests() -> None:
    """Three logins of 300 ms among many quick requests; they count where they are what is asked."""
    for quick, whole in (
        (10, Whole(950 * MS, 13, 3)),
        (100, Whole(10 * S)),
        (5_000, Whole(10 * S)),
    ):
        one = _rarely(blocking(), 3, sleep=300 * MS)
        (row,) = one.requests
        parts = {"user": quick * 5 * MS if quick < 1_000 else quick * MS}
        tier = RequestTier(0, MS, quick, sum(parts.values()), 0, {}, parts)
        rows = (replace(row, exchanges=quick + 3, tiers=(tier, *row.tiers)),)
        seen = profile_of(replace(one, requests=rows), 10 * S)
        assert whole_of(900 * MS, seen, 100 * MS, ("sleep",)) == whole, quick


def test_waits_of_others_do_not_fit_into_a_few_slow_requests() -> None:
    one = _rarely(blocking(), 3, recv=400 * MS)
    (row,) = one.requests
    seen = profile_of(replace(one, requests=(replace(row, unanswered=50),)), 10 * S)
    assert whole_of(2_000 * MS, seen, 100 * MS, ("recv",)) == Whole(1_200 * MS, 3, 3)
    assert whole_of(5_000 * MS, seen, 100 * MS, ("recv",)) == Whole(10 * S)

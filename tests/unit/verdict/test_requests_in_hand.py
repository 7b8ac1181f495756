"""Sleeps of threads that serve: whose request is in hand meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Process
from iotrace.report.requests import Requests, RequestTier
from iotrace.report.times import Durations
from tests.unit.verdict import hangs
from tests.unit.verdict.made import (
    LENGTH_NS,
    MS,
    PID,
    S,
    call,
    event_loop,
    findings,
    in_call,
    judged,
    line_of,
    loop,
    process,
    thread,
)

_SLEEP = in_call(
    "clock_nanosleep", "", "app.py:9 slow", "lib/site-packages/gunicorn/workers/sync.py:9 run",
    *hangs.HANDLER, wait=200 * MS, since=9_700 * MS,
)  # fmt: skip


def _looks(looks: int = 30, **taken: int) -> Process:
    """A thread of a server that slept so often; the requests and connections that it took."""
    row = replace(hangs.waiting(701, _SLEEP, sleep=LENGTH_NS), requests=taken.get("requests"))
    moved = taken.get("moved", looks)
    calls = [
        call("clock_nanosleep", "", looks, tid=701, wait=9_900 * MS),
        call("accept4", "tcp", taken.get("accepted", looks), tid=701),
        call("recvfrom", "tcp", moved, tid=701),
        call("sendto", "tcp", moved, tid=701),
    ]
    if "accepted" not in taken:
        del calls[1]
    lines = (line_of(_SLEEP, looks, 9_900 * MS, 330 * MS, 701),)
    return replace(process([row], calls), lines=lines)


@pytest.mark.parametrize(
    "taken",
    [
        {},
        {"requests": 0},
        {"requests": 1},
        {"requests": 3},  # its TLS handshake
        {"moved": 90},  # three calls to others at each look
    ],
)
def test_who_has_one_request_in_hand_all_along_is_stuck(taken: dict[str, int]) -> None:
    assert "IO170" in findings(_looks(**taken))


@pytest.mark.parametrize(
    "taken",
    [
        {"requests": 450, "moved": 450},
        {"requests": 30},  # a sleep in each
        {"looks": 6, "requests": 3},
        {"accepted": 450, "moved": 450},
        {"moved": 450},  # the jobs of a queue
    ],
)
def test_who_takes_one_request_after_the_other_is_not(taken: dict[str, int]) -> None:
    assert "IO170" not in findings(_looks(**taken))


@pytest.mark.parametrize(
    ("user_ns", "asks", "stuck"),
    [
        (MS, False, True),  # it looks at a flag
        (300 * MS, False, False),  # 10 ms of work after each sleep
        (300 * MS, True, True),  # an ORM's question at each look
    ],
)
def test_who_computes_between_its_sleeps_works(user_ns: int, asks: bool, stuck: bool) -> None:
    """A task of a pool that goes on, a short sleep at a time."""
    one = _looks()
    row = replace(hangs.waiting(701, _SLEEP, sleep=LENGTH_NS - user_ns, user=user_ns), requests=0)
    calls = one.calls if asks else one.calls[:1]
    assert ("IO170" in findings(replace(one, threads=(row,), calls=calls))) is stuck


def _rare(sleeps_ns: int, service: dict[str, int]) -> Process:
    """A server that sleeps in one of 40 requests; what its requests were in service for."""
    times = Durations(1_760, MS, MS, MS, MS, MS)
    tier = RequestTier(0, S, 1_760, sum(service.values()), 0, {}, service)
    row = Requests(
        "127.0.0.1:8000", 1_760, 1_760, 0, None, times, None, None, times, None, tiers=(tier,)
    )
    calls = [
        call("accept4", "tcp", 1_760),
        call("recvfrom", "tcp", 1_760),
        call("sendto", "tcp", 1_760),
        call("clock_nanosleep", "", 22, wait=sleeps_ns),
    ]
    one = process([thread(user=S, sleep=sleeps_ns, accept=9 * S - sleeps_ns)], calls)
    return replace(one, requests=(row,))


def test_rare_sleeps_that_requests_are_made_of_are_found() -> None:
    found = findings(_rare(6 * S, {"user": S, "sleep": 5 * S}))["IO117"]
    assert found.cost_ns == found.evidence["asleep_in_service_ns"] == 5 * S
    assert (found.evidence["sleeps"], found.evidence["reads"]) == (22, 1_760)


@pytest.mark.parametrize(
    ("sleeps_ns", "service"),
    [
        (6 * S, {"user": S}),  # no request was in hand
        (6 * S, {"user": S, "recv": 2 * S, "sleep": S}),
        (6 * S, {"user": 100 * MS, "sleep": 400 * MS}),
        (400 * MS, {"user": 100 * MS, "sleep": 400 * MS}),
    ],
)
def test_rare_sleeps_that_cost_requests_little_are_not(
    sleeps_ns: int, service: dict[str, int]
) -> None:
    assert "IO117" not in findings(_rare(sleeps_ns, service))


def test_a_loop_whose_requests_await_a_timer_does_not_sleep() -> None:
    rows = _rare(S, {"user": S, "poll": 8 * S}).requests
    one = replace(event_loop(), requests=rows)
    assert "IO117" not in findings(one)
    blocked = thread(PID, user=S, poll=3 * S, sleep=6 * S)
    sleeping = replace(
        one,
        threads=(blocked,),
        calls=(*one.calls[:2], call("clock_nanosleep", "", 22, wait=6 * S)),
        loops=(loop(wait=3 * S),),
        requests=_rare(6 * S, {"user": S, "sleep": 6 * S}).requests,
    )
    assert "IO104" in findings(sleeping)
    assert "IO117" not in findings(sleeping)


@pytest.mark.parametrize(
    ("requests", "service", "told"),
    [
        (0, {"user": S}, False),  # it tells Redis once a second that the server is alive
        (1, {"user": S}, True),
        (0, {"user": S, "sleep": MS}, True),  # another thread has read what it answers
    ],
)
def test_a_thread_that_serves_nobody_may_sleep(
    requests: int, service: dict[str, int], told: bool
) -> None:
    one = _rare(0, service)
    handler = replace(thread(user=S, accept=9 * S), requests=9)
    beside = replace(thread(701, sleep=9 * S), requests=requests)
    moved = [call(name, "tcp", 9, tid=701) for name in ("recvfrom", "sendto")]
    calls = (*one.calls[:3], *moved, call("clock_nanosleep", "", 900, tid=701, wait=9 * S))
    server = replace(one, threads=(handler, beside), calls=calls)
    assert ("IO117" in findings(server)) is told
    outcome = judged(server).processes[0].outcome
    assert outcome == ("" if told else "Nothing wrong was found.")

"""IO162: many small round trips in each request, however many requests there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Process
from iotrace.report.requests import Requests, RequestTier, Upstream
from iotrace.report.stacks import CpuSample, Frame
from iotrace.report.times import Durations
from tests.unit.verdict.made import (
    MS,
    PID,
    US,
    blocking,
    descriptor,
    findings,
    in_call,
    line_of,
)

_PEER = "10.0.0.9:6379"
_RARE = 50
"""Requests in ten seconds: the process is idle for most of the time."""


def _server(
    trips: int, service: dict[str, int], theirs_ns: int = 25 * US, **more: tuple[CpuSample, ...]
) -> Process:
    """``service``: of one request, which asks so often."""
    times = Durations(_RARE, *(MS,) * 5)
    parts = {state: _RARE * took for state, took in service.items()}
    tier = RequestTier(0, MS, _RARE, sum(parts.values()), 0, {}, parts)
    row = Requests(
        "127.0.0.1:8000", 9, _RARE, 0, None, times, None, None, times, None, tiers=(tier,)
    )
    theirs = Durations(_RARE * trips, *(theirs_ns,) * 5)
    upstream = Upstream(_PEER, "tcp", _RARE * trips, 1, 0, None, theirs, None, None, 0, {})
    samples = more.get("samples", ())
    return replace(blocking(), requests=(row,), upstreams=(upstream,), cpu_samples=samples)


def _sample(function: str, samples: int, in_calls: int, *, library: bool = True) -> CpuSample:
    own = Frame(function, "/srv/app.py", 9)
    inner = Frame("execute", "/venv/lib/site-packages/sqlalchemy/engine/default.py", 99)
    stack = (inner, own) if library else (own,)
    return CpuSample(PID, samples, samples * 5 * MS, in_calls, 0, 0, len(stack) - 1, stack)


@pytest.mark.parametrize(
    ("trips", "service", "named"),
    [
        (400, {"user": 12 * MS, "kernel": 4 * MS, "recv": 6 * MS}, True),
        (10, {"user": 12 * MS, "kernel": 4 * MS, "recv": 6 * MS}, False),
        (400, {"user": 80 * MS, "recv": 6 * MS}, False),  # it computes, too
        (400, {"user": 2 * MS}, False),  # waits that are longer are not made for requests
        (30, {"user": MS, "recv": MS}, False),  # nobody notices
    ],
)
def test_what_requests_take_decides(trips: int, service: dict[str, int], named: bool) -> None:
    found = findings(_server(trips, service))
    assert ("IO162" in found) is named
    if named:
        evidence = found["IO162"].evidence
        assert (evidence["waited_ns"], evidence["service_ns"]) == (500 * MS, 1_100 * MS)
        assert "waited for 45.5 % of the time that requests take" in found["IO162"].title
        assert "calls to 10" in found["IO162"].title


@pytest.mark.parametrize(
    ("samples", "named"),
    [
        ((_sample("rows", 300, 80), _sample("page", 100, 9)), True),
        ((_sample("rows", 90, 80), _sample("page", 300, 9)), False),  # it computes elsewhere
        ((_sample("rows", 300, 9), _sample("page", 30, 80)), False),
        ((_sample("rows", 300, 40), _sample("page", 100, 80)), False),
        ((_sample("rows", 300, 80, library=False),), False),  # itself
        ((_sample("rows", 300, 9),), False),  # too few to say
    ],
)
def test_the_cpu_time_of_asking_counts(samples: tuple[CpuSample, ...], named: bool) -> None:
    """A sixth of the time is waits, 2.5 s are CPU time: three quarters of it for asking."""
    one = _server(400, {"user": 50 * MS, "poll": 10 * MS, "gil": 30 * MS}, samples=samples)
    found = findings(one)
    assert ("IO162" in found) is named
    if named:
        assert found["IO162"].evidence["asking_ns"] == 2_375 * MS
        assert "with the CPU time of asking that is about 79.2 %" in found["IO162"].title


def test_without_enough_waits_lines_are_not_believed() -> None:
    one = _server(400, {"user": 150 * MS}, samples=(_sample("rows", 2_000, 80),))
    assert "IO162" not in findings(one)


def test_a_few_slow_calls_do_not_stand_for_all() -> None:
    """Of 20,000 calls those that took over a millisecond are known by line: 4 or 400 of them."""
    one = _server(400, {"user": 12 * MS, "kernel": 4 * MS, "recv": 6 * MS})
    row = descriptor(9, local="127.0.0.1:51009", peer=_PEER)
    asks = in_call("recvfrom", "tcp", "app.py:9 cart", fd=9)
    for waited, told in ((4 * MS, "srv/app.py:9 cart -> recvfrom"), (400 * MS, "4 times, 400 ms")):
        line = line_of(asks, 4, waited, waited)
        seen = replace(one, descriptors=(*one.descriptors, row), lines=(line,))
        (said,) = findings(seen)["IO162"].lines
        assert told in said
        assert ("times" in said) is (waited > 4 * MS)

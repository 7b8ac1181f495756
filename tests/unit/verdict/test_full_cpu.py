# SPDX-License-Identifier: Apache-2.0
"""Servers that compute all of the time for the requests that they get."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Finding, Process
from iotrace.report.requests import Durations, Requests
from iotrace.report.stacks import CpuSample
from tests.unit.verdict.made import MS, PID, S, event_loop, judged, stack, thread

_BASE = "lib/site-packages/starlette/middleware/base.py:190 BaseHTTPMiddleware.__call__"
_APP = "lib/site-packages/fastapi/routing.py:212 run_endpoint_function"


def _sample(samples: int, *places: str) -> CpuSample:
    return CpuSample(PID, samples, samples * 10 * MS, 0, 0, 0, 0, stack(*places))


def _busy(user: int, runq: int, requests: int = 5_000) -> Process:
    times = Durations(requests, MS, MS, MS, MS, MS)
    row = Requests("127.0.0.1:8000", 9, requests, 0, None, times, None, None, times, None)
    return replace(
        event_loop(),
        threads=(thread(user=user, runq=runq, poll=10 * S - user - runq),),
        requests=(row,),
        cpu_samples=tuple(
            _sample(100, f"lib/{inner} step{number}", *around)
            for number in range(3)
            for inner, around in (
                ("site-packages/anyio/_backends/_asyncio.py:700", (_BASE,)),
                ("python3.11/json/encoder.py:200", (_APP, _BASE)),
            )
        ),
    )


def _found(one: Process) -> Finding | None:
    return next((row for row in judged(one).findings if row.id == "IO225"), None)


def test_a_thread_that_has_no_time_left_is_told_with_what_it_computes() -> None:
    found = _found(_busy(7 * S, 2_500 * MS))
    assert found is not None
    assert found.severity == "low"
    assert found.title == (
        "Where the time goes (nothing is proven wrong): thread 700, which serves, computes, or "
        "waits for a CPU to compute, for 95 % of its time, at 500 requests a second: it can do no "
        "more of them, and others wait"
    )
    assert (
        "by middleware, of its CPU samples 50 %: starlette/middleware/base.py 50 %" in found.lines
    )
    assert "BaseHTTPMiddleware" in found.advice


def test_a_thread_that_lives_for_one_request_is_no_limit() -> None:
    one = replace(_busy(7 * S, 2_500 * MS), loops=(), cpu_samples=())
    waits = thread(poll=10 * S)
    for user, told in ((9_500 * MS, True), (3 * MS, False)):
        serves = replace(thread(PID + 1, user=user), requests=1)
        assert bool(_found(replace(one, threads=(waits, serves)))) is told


def test_one_that_has_time_is_healthy() -> None:
    for user, runq, requests in ((6 * S, S, 5_000), (3 * S, 6_500 * MS, 5_000), (7 * S, 2 * S, 9)):
        assert _found(_busy(user, runq, requests)) is None


def test_threads_that_compute_in_turn_have_one_interpreter() -> None:
    one = _busy(S, 0)
    for waits, told in ((900 * MS, True), (400 * MS, False)):
        rows = [
            thread(PID + number, user=900 * MS, gil=waits, lock=9_100 * MS - waits)
            for number in range(8)
        ]
        found = _found(replace(one, threads=tuple(rows)))
        assert bool(found and "others wait for Python's GIL meanwhile" in found.title) is told

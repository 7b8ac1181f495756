# SPDX-License-Identifier: Apache-2.0
"""Sleeps in threads and processes of pools, which read no request themselves."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.report.requests import Durations, Requests, RequestTier
from tests.unit.verdict import hangs
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    event_loop,
    findings,
    in_call,
    judged,
    line_of,
    process,
    thread,
)

_ANYIO = ("lib/site-packages/anyio/_backends/_asyncio.py:1002 WorkerThread.run", *hangs.BOOTSTRAP)
_CELERY = (
    "lib/site-packages/celery/app/trace.py:453 trace_task",
    "lib/site-packages/billiard/pool.py:362 Worker.workloop",
)


def _served_by_pool(
    syscall: str = "clock_nanosleep", kind: str = "", *library: str, waited: int = 15 * S
) -> Process:
    """50 requests of 0.3 s, for which a loop waits, and a call in threads of its pool."""
    took = Durations(50, *(300 * MS,) * 5, histogram=((300 * MS, 300 * MS, 50),))
    tier = RequestTier(0, S, 50, 15 * S, 0, {}, {"poll": 14 * S, "user": S})
    row = Requests("127.0.0.1:8000", 9, 50, 0, None, took, None, None, None, None, tiers=(tier,))
    works = in_call(syscall, kind, *library, "app.py:10 orders", *_ANYIO)
    loop = event_loop()
    workers = [
        hangs.waiting(tid, works, sleep=waited // 2, lock=10 * S - waited // 2)
        for tid in (701, 702)
    ]
    calls = [call(syscall, kind, 25, tid=tid, wait=waited // 2) for tid in (701, 702)]
    # Stacks were followed for the last fifth of the trace.
    lines = (line_of(works, 10, waited // 5, 301 * MS, 702),)
    return replace(
        loop,
        requests=(row,),
        threads=(*loop.threads, *workers),
        calls=(*loop.calls, *calls),
        lines=lines,
    )


def test_requests_that_a_pools_threads_sleep_for() -> None:
    found = findings(_served_by_pool())["IO187"]
    assert found.title == (
        "Slow requests most likely sleep at srv/app.py:10 orders, in AnyIO's worker threads: 50 of "
        "50 took 300 ms on average, 100 % of it there"
    )
    assert found.lines[0].startswith("srv/app.py:10 orders -> clock_nanosleep")
    reads = findings(_served_by_pool("openat", "file"))["IO187"]
    assert reads.title.startswith("Slow requests most likely wait in openat at srv/app.py:10")


def test_what_a_pool_does_for_no_request_is_not_theirs() -> None:
    """Little's law: the pool's threads sleep for longer, or for less, than all requests took."""
    assert "IO187" not in findings(_served_by_pool(waited=20 * S))
    assert "IO187" not in findings(_served_by_pool(waited=5 * S))


def test_whom_a_pools_threads_wait_for_is_told_by_other_rules() -> None:
    assert "IO187" not in findings(_served_by_pool("recvfrom", "tcp"))
    assert "IO187" not in findings(_served_by_pool("futex"))


def _worker(*between: str) -> Process:
    """A process of celery's pool: each job comes and is answered through a pipe, and sleeps."""
    sleeps = in_call("clock_nanosleep", "", "app.py:10 orders", *_CELERY, wait=300 * MS)
    calls = [
        call("clock_nanosleep", "", 32, wait=9_700 * MS),
        *(call(name, "pipe", 64, bytes=900) for name in between),
    ]
    one = process([hangs.waiting(PID, sleeps, sleep=9_700 * MS, recv=300 * MS)], calls)
    return replace(one, lines=(line_of(sleeps, 32, 9_700 * MS, 301 * MS),))


def test_jobs_that_sleep_are_no_looks_for_what_does_not_come() -> None:
    (found,) = judged(_worker("read", "write")).findings
    assert (found.id, found.severity) == ("IO117", "high")
    assert found.title == "Sleep in jobs that a pool of processes is given"
    assert found.lines[0].startswith("srv/app.py:10 orders -> clock_nanosleep")


def test_other_threads_that_read_pipes_are_given_no_jobs() -> None:
    """Of a pool of threads: they read what a child of theirs says."""
    one = _worker("read", "write")
    (line,) = one.lines
    rows = tuple(replace(row, tid=PID + 1) for row in one.threads)
    calls = tuple(replace(row, tid=PID + 1) for row in one.calls)
    beside = replace(one, threads=(thread(lock=10 * S), *rows), calls=calls)
    assert "IO117" not in findings(replace(beside, lines=(replace(line, tid=PID + 1),)))


def test_one_job_that_looks_again_and_again_is_stuck() -> None:
    assert "IO170" in findings(_worker())


def test_a_pool_without_jobs_sleeps_as_it_likes() -> None:
    """A timer of the program's own, in a process that is given nothing."""
    timer = in_call("clock_nanosleep", "", "app.py:40 tick", *hangs.BOOTSTRAP)
    one = process([thread(PID, sleep=10 * S)], [call("clock_nanosleep", "", 9, wait=9 * S)])
    assert "IO117" not in findings(replace(one, lines=(line_of(timer, 9, 9 * S, S),)))
    jobs = _worker("read", "write")
    (line,) = jobs.lines
    own = replace(line, own=timer.own, stack=timer.stack)
    assert "IO117" not in findings(replace(jobs, lines=(own,)))
    assert "IO117" not in findings(_worker())

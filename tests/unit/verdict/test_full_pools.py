"""Pools of threads that are full, though no single thread shows a queue."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Phase, Process
from tests.unit.verdict import hangs
from tests.unit.verdict.made import MS, S, call, findings, in_call, line_of, process, thread


def test_threads_that_have_the_next_job_at_once_are_full_whatever_locks_lie_between() -> None:
    """gRPC's threads sleep for a moment in locks of its own after each job."""
    grpc = "lib/site-packages/grpc/_server.py:610 _call_behavior"
    job = in_call("clock_nanosleep", "", "app.py:7 view", grpc, *hangs.WORKER, wait=200 * MS)
    idling = hangs.idle(709).in_call
    assert idling is not None

    def pool(lock: int, threads: int = 4, waits: int = 0) -> Process:
        tids = range(701, 701 + threads)
        rows = [replace(thread(tid, sleep=10 * S - lock, lock=lock), in_call=job) for tid in tids]
        calls = [call("futex", "", 40, tid=tid, wait=lock) for tid in tids]
        calls = [replace(one, waits_ns=Phase(20, MS, MS, ())) for one in calls]
        lines = (line_of(idling, waits, waits * MS, 2 * MS),) if waits else ()
        return replace(process(rows, calls), lines=lines)

    assert "IO142" in findings(pool(20 * MS))
    assert "IO142" not in findings(pool(90 * MS))
    assert "IO142" not in findings(pool(20 * MS, threads=3))
    assert "IO142" not in findings(pool(20 * MS, waits=9))
    free = pool(20 * MS)
    assert "IO142" not in findings(replace(free, threads=(*free.threads, hangs.idle(720))))

"""Threads of executors that wait for work are idle, and wait for no lock."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from tests.unit.verdict import hangs
from tests.unit.verdict.made import S, in_call, judged, line_of, process

_GETS = ("lib/concurrent/futures/thread.py:81 _worker", *hangs.BOOTSTRAP)


def _pool(*, known: bool) -> Process:
    """Two threads that do a little, and one that has done nothing; all mostly wait for work."""
    idle = in_call("futex", "", *_GETS, object="feed")
    rows = [
        hangs.waiting(701, idle, lock=9 * S, user=S),
        hangs.waiting(702, idle, lock=9 * S, user=S),
    ]
    rows.append(hangs.waiting(703, idle, lock=10 * S))
    line = line_of(idle, 90, 26 * S, S, 701)
    return replace(process(rows), lines=(line,) if known else ())


def _summary(one: Process) -> str:
    return judged(one).processes[0].summary


def test_who_waits_for_work_in_its_pool_is_idle() -> None:
    assert _summary(_pool(known=True)).startswith(
        "Of the 20 s of the 2 threads at work: 80 % idle, with no request in hand, 10 % computing, "
        "10 % asleep in locks. 1 more thread had no request in hand."
    ), _summary(_pool(known=True))


def test_without_stacks_of_the_waits_nothing_tells() -> None:
    text = _summary(_pool(known=False))
    assert "90 % asleep in locks, 10 % computing" in text

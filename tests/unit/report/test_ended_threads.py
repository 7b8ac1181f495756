"""Threads that lived for a moment are one row."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.ended_threads import LEAST_ALIKE, brief_together
from iotrace.report.model import Thread
from tests.unit.verdict.made import MS, S, thread

MAIN = thread(700, poll=10 * S)


def _brief(tid: int, ended: bool = True, **states: int) -> Thread:
    one = thread(tid, **states)
    return replace(one, ended_ns=9 * S if ended else None)


def test_many_are_one_row_that_adds_them_up() -> None:
    brief = [_brief(701 + n, user=MS, recv=2 * MS) for n in range(LEAST_ALIKE)]
    sum_of_more = replace(_brief(0, user=60 * MS, recv=200 * MS), count=260)
    kept, one = brief_together((MAIN, *brief, sum_of_more))
    assert kept is MAIN
    assert (one.tid, one.count) == (0, LEAST_ALIKE + 260)
    assert one.states_ns.user == LEAST_ALIKE * MS + 60 * MS
    assert one.states_ns.wait["recv"] == LEAST_ALIKE * 2 * MS + 200 * MS
    assert one.lifetime_ns == sum(row.lifetime_ns for row in (*brief, sum_of_more))


def test_few_and_those_that_lived_for_long_or_go_on_are_told_one_by_one() -> None:
    few = [_brief(701 + n, user=MS) for n in range(LEAST_ALIKE - 1)]
    long = [_brief(801 + n, recv=4 * S) for n in range(LEAST_ALIKE)]
    alive = [_brief(901 + n, ended=False, user=MS) for n in range(LEAST_ALIKE)]
    for rows in (few, long, alive):
        assert brief_together((MAIN, *rows)) == (MAIN, *rows)


def test_idle_time_is_known_of_all_or_of_none() -> None:
    brief = [replace(_brief(701 + n, recv=MS), idle_ns={"recv": MS}) for n in range(LEAST_ALIKE)]
    (_, one) = brief_together((MAIN, *brief))
    assert one.idle_ns == {"recv": LEAST_ALIKE * MS}
    (_, one) = brief_together((MAIN, *brief, replace(brief[0], idle_ns=None)))
    assert one.idle_ns is None

"""A stall that has not ended counts, while its thread computes and its epoll is open."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from iotrace.snapshot.in_flight import InFlight
from iotrace.snapshot.iterations import Away, away_of, with_iterations
from iotrace.snapshot.totals import LoopKey, LoopTotals, ThreadKey

_THREAD = ThreadKey(7, 7, 0)
_KEY: LoopKey = (_THREAD, 232)
_NONE: dict[str, Any] = {one.name: 0 for one in fields(LoopTotals)}
_KNOWN = replace(LoopTotals(**_NONE), busy_sum_ns=20, busy_max_ns=20, stall_call_kind="")
_LOOP = {
    "nr": 232,
    "epoll_fd": 5,
    "returned_ns": 1_000,
    "cpu_at_return_ns": 40,
    "runq_at_return_ns": 10,
}
_SECOND = 1_000_000_000
_AWAY = Away(loop=3, at_ns=_SECOND + 1_000, cpu_ns=700_000_040, runq_ns=200_000_010)


def _totals(away: Away = _AWAY, still_open: bool = True, **members: int) -> LoopTotals:
    asked = []

    def record_of(index: int) -> dict[str, int]:
        asked.append(index)
        return {**_LOOP, **members}

    found = with_iterations({_KEY: _KNOWN}, {_THREAD: away}, record_of, lambda *_: still_open)
    assert asked == [3]
    return found[_KEY]


def test_what_it_has_taken_so_far_is_added() -> None:
    found = _totals()
    assert (found.stalls, found.stall_ns) == (1, _SECOND)
    assert (found.stall_cpu_ns, found.stall_runq_ns) == (700_000_000, 200_000_000)
    assert (found.busy_sum_ns, found.busy_max_ns) == (_SECOND + 20, _SECOND)


@pytest.mark.parametrize(
    "found",
    [
        _totals(still_open=False),
        _totals(returned_ns=0),  # it is back
        _totals(returned_ns=_SECOND - 40_000_000),  # no stall yet
        _totals(epoll_fd=0),  # a poll
        _totals(replace(_AWAY, cpu_ns=200_000_040)),  # it sleeps in a call: told with that
        _totals(cpu_at_return_ns=800_000_000),  # it has returned since the thread was read
    ],
)
def test_others_do_not_count(found: LoopTotals) -> None:
    assert found == _KNOWN


def test_who_is_away() -> None:
    record = {
        "current_loop": 4,
        "ended_ns": 0,
        "in_call": 0,
        "call_loop": 0,
        "since_ns": 500,
        "user_ns": 30,
        "kernel_ns": 20,
        "copy_ns": 10,
        "runq_ns": 5,
    }
    flight = InFlight(user_ns=3, runq_ns=2)
    away = Away(loop=3, at_ns=505, cpu_ns=63, runq_ns=7)
    assert away_of(record, flight) == away
    assert away_of({**record, "in_call": 1}, flight) == away
    assert away_of({**record, "in_call": 1, "call_loop": 1}, flight) is None
    assert away_of({**record, "current_loop": 0}, flight) is None
    assert away_of({**record, "ended_ns": 1}, flight) is None

"""What the loop of a trace does at which time, on a clock of the test's own."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import pytest

from iotrace.report.model import Report
from iotrace.snapshot.snapshot import Snapshot
from iotrace.tracing import loop as loop_module
from iotrace.tracing.loop import TraceLoop
from iotrace.tracing.trace import Trace
from tests.unit import reports

_S = 1_000_000_000


class _Clock:
    """Stands for ``time`` in the loop."""

    now_ns = 100 * _S

    def monotonic_ns(self) -> int:
        return self.now_ns


class _Trace:
    """Counts what is asked of it."""

    started_ns = complete_ns = _Clock.now_ns

    def __init__(self) -> None:
        self.looks: list[bool] = []
        self.judged: list[bool] = []
        self.snapshots = 0

    def processes_alive(self) -> frozenset[int]:
        return frozenset({1})

    def look(self, *, sockets: bool = True) -> None:
        self.looks.append(sockets)

    def snapshot(self) -> Snapshot:
        self.snapshots += 1
        return Snapshot(self.started_ns, self.started_ns + self.snapshots)

    def discard_ended(self, snapshot: Snapshot) -> Snapshot:
        return snapshot

    def report(self, snapshot: Snapshot, *, judged: bool = True) -> Report:
        self.judged.append(judged)
        return reports.event_loop()


class _Observer:
    ticks = 0

    def tick(self, trace: Trace) -> None:
        self.ticks += 1


class _Screen:
    is_on = True
    refreshed = 0

    def refresh(self, now_ns: int, trace: Trace) -> None:
        self.refreshed += 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(loop_module, "time", clock)
    return clock


def _ticked(clock: _Clock, trace: _Trace, *at_s: float, **options: Any) -> TraceLoop:
    observer = options.pop("observer", _Observer())
    options.setdefault("alive", lambda: True)
    loop = TraceLoop(cast(Trace, trace), observer, **options)
    begin_ns = clock.now_ns
    for at in at_s:
        clock.now_ns = begin_ns + int(at * _S)
        assert loop.tick()
    return loop


def test_looks_become_rarer(clock: _Clock) -> None:
    trace = _Trace()
    _ticked(clock, trace, 0.5, 1, 2, 8, 9, 72, 73)
    assert trace.looks == [False] * 3  # at 1, 9 and 73


def test_looks_at_times_of_the_caller_s(clock: _Clock) -> None:
    trace = _Trace()
    _ticked(clock, trace, 1, 2, 3, 100, look_delays_ns=(2 * _S,), look_at_sockets=True)
    assert trace.looks == [True]


def test_reports_of_intervals_are_numbered(clock: _Clock) -> None:
    made: list[Report] = []
    _ticked(clock, _Trace(), 1.9, 2, 3, 4.1, interval_ns=2 * _S, on_interval=made.append)
    assert [report.interval for report in made] == [1, 2]


def test_one_interval_of_several_is_thorough(clock: _Clock) -> None:
    trace = _Trace()
    intervals = {"interval_ns": _S, "thorough_every": 3, "look_delays_ns": ()}
    _ticked(clock, trace, 1, 2, 3, 4, 5, **intervals)
    assert trace.judged == [True, False, False, True, False]
    assert len(trace.looks) == 2


def test_newcomers_are_looked_for_and_waited_for(clock: _Clock) -> None:
    class Newcomers:
        asked: ClassVar[list[int]] = []

        def join(self, now_ns: int, trace: Trace) -> None:
            self.asked.append(now_ns)

    loop = _ticked(clock, _Trace(), 1, 2, newcomers=Newcomers(), alive=lambda: False)
    assert len(Newcomers.asked) == 2
    assert loop.tick()


def test_a_screen_takes_the_place_of_intervals(clock: _Clock) -> None:
    screen, made = _Screen(), list[Report]()
    loop = _ticked(clock, _Trace(), 1, 2, interval_ns=_S, on_interval=made.append, screen=screen)
    assert (screen.refreshed, made) == (2, [])
    screen.is_on = False
    loop.tick()
    assert len(made) == 1


def test_the_observer_sees_each_tick_and_the_end(clock: _Clock) -> None:
    observer = _Observer()
    loop = _ticked(clock, _Trace(), 1, 2, observer=observer)
    assert observer.ticks == 3  # one at the beginning
    loop.finish()
    assert observer.ticks == 4


def test_the_targets_are_gone(clock: _Clock) -> None:
    assert not _ticked(clock, _Trace(), alive=lambda: False).tick()


def test_the_duration_counts_from_when_lines_are_seen(clock: _Clock) -> None:
    trace = _Trace()
    trace.complete_ns = trace.started_ns + 2 * 10**9
    loop = _ticked(clock, trace, duration_ns=6 * 10**9)
    assert loop.until_ns == trace.started_ns + 8 * 10**9

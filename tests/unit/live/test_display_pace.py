"""How often the live screen's picture is made: by what it costs."""

from __future__ import annotations

from typing import Any

from iotrace.live.display import LiveDisplay
from iotrace.report.model import Report
from iotrace.snapshot.snapshot import Snapshot
from tests.unit import reports

_S = 1_000_000_000


class _Trace:
    """Takes so much CPU time for a snapshot, and for a look at sockets, by its own clock."""

    started_ns = complete_ns = 0

    def __init__(self, snapshot_ms: int = 0, sockets_ms: int = 0) -> None:
        self.cpu_ns = 0
        self._snapshot_ms = snapshot_ms
        self._sockets_ms = sockets_ms
        self.snapshots = 0
        self.looks: list[bool] = []
        self.judged: list[bool] = []

    def snapshot(self) -> Snapshot:
        self.snapshots += 1
        self._take(self._snapshot_ms)
        return Snapshot(0, self.snapshots)

    def look(self, *, sockets: bool) -> None:
        self.looks.append(sockets)
        self._take(self._sockets_ms if sockets else 0)

    def report(self, snapshot: Snapshot, *, judged: bool = True) -> Report:
        self.judged.append(judged)
        return reports.event_loop()

    def _take(self, ms: int) -> None:
        self.cpu_ns += ms * 1_000_000


def _refreshed(trace: Any, *at_s: float) -> None:
    live = LiveDisplay(_S, in_color=False, cpu_ns=lambda: trace.cpu_ns)
    for at in at_s:
        live.refresh(int(at * _S), trace)


def test_a_picture_a_second() -> None:
    trace = _Trace()
    _refreshed(trace, 0.1, 0.4, 1.3, 1.5, 2.6)
    assert trace.snapshots == 3  # at 0.4, 1.5 and 2.6


def test_one_that_takes_long_is_followed_by_a_rest() -> None:
    trace = _Trace(snapshot_ms=50)  # at least 41 times that
    _refreshed(trace, 1, 2.5, 3, 10)
    assert trace.snapshots == 2


def test_sockets_are_looked_at_less_often_where_that_takes_long() -> None:
    trace = _Trace(sockets_ms=40)  # at least 101 times that
    _refreshed(trace, 1, 3, 5, 20)
    assert trace.looks == [True, False, False, True]


def test_only_the_whole_is_judged() -> None:
    trace = _Trace()
    _refreshed(trace, 1, 3)
    assert trace.judged == [True, False, True, False]

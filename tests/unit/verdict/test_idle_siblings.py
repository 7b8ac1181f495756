"""A worker that has all the connections, and siblings that have nothing to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Process
from tests.unit.verdict.made import MS, PID, S, descriptor, event_loop, findings, process, thread
from tests.unit.verdict.test_rules import MADE


def _worker(pid: int, connections: int) -> Process:
    rows = tuple(descriptor(fd, peer=f"127.0.0.1:{40_000 + fd}") for fd in range(connections))
    one = event_loop()
    loops = tuple(replace(row, tid=pid) for row in one.loops)
    calls = tuple(replace(row, tid=pid) for row in one.calls)
    idle = thread(pid, user=100 * MS, poll=9_900 * MS)
    return replace(
        one, pid=pid, parent=PID, threads=(idle,), calls=calls, loops=loops, descriptors=rows
    )


def _busy(connections: int) -> Process:
    (one,) = MADE["IO132"](True)
    rows = _worker(701, connections).descriptors
    tid = {"tid": 701}
    return replace(
        one,
        pid=701,
        parent=PID,
        threads=tuple(replace(row, **tid) for row in one.threads),
        calls=tuple(replace(row, **tid) for row in one.calls),
        loops=tuple(replace(row, **tid) for row in one.loops),
        descriptors=rows,
    )


@pytest.mark.parametrize(
    ("mine", "theirs", "found"), [(8, 0, True), (8, 3, True), (8, 8, False), (1, 0, False)]
)
def test_that_its_siblings_are_idle_is_said(mine: int, theirs: int, found: bool) -> None:
    master = process([thread(sleep=10 * S)])
    one = findings(master, _busy(mine), _worker(702, theirs), _worker(703, theirs))["IO132"]
    assert ("while 2 of 2 other workers are idle" in one.title) is found
    assert ("SO_REUSEPORT" in one.advice) is found
    assert ("of_them_idle" in one.evidence) is found


def test_a_worker_alone_has_no_siblings() -> None:
    one = findings(process([thread(sleep=10 * S)]), _busy(8))["IO132"]
    assert "other worker" not in one.title

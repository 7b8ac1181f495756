"""IO114 where threads come and go: many are started, few are alive at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Finding, Process
from tests.unit.verdict.made import MS, PID, S, call, judged, process, thread

_BORN = 4_001


def _server(runq_ns: int, gil_ns: int, acceptor_runq_ns: int) -> Process:
    """400 connections a second, each with a thread of its own for 2 ms."""
    ended = thread(0, user=2 * S, recv=4 * S, runq=runq_ns, gil=gil_ns, count=_BORN, started=MS)
    acceptor = thread(PID, user=S, accept=8 * S, runq=acceptor_runq_ns)
    calls = [
        call("accept4", "tcp", _BORN),
        call("recvfrom", "tcp", _BORN, tid=0, wait=4 * S),
        call("futex", "gil", _BORN, tid=0, wait=gil_ns),
    ]
    return process([acceptor, replace(ended, ended_ns=9 * S)], calls)


def _found(one: Process) -> Finding | None:
    return next((hit for hit in judged(one).findings if hit.id == "IO114"), None)


def test_it_is_told_as_births_and_not_as_a_crowd() -> None:
    found = _found(_server(2 * S, S, 0))
    assert found is not None
    assert found.severity == "low"
    assert found.title.startswith("A new thread for each connection")


@pytest.mark.parametrize(("gil_ns", "told"), [(100 * MS, False), (600 * MS, True)])
def test_waits_for_cpus_that_others_take_are_not_its_own(gil_ns: int, told: bool) -> None:
    found = _found(_server(9 * S, gil_ns, 9 * S))
    assert (found is not None) is told
    if found is not None:
        assert (found.cost_ns, found.evidence["runq_ns"]) == (gil_ns, 0)

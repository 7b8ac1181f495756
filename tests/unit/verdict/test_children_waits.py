# SPDX-License-Identifier: Apache-2.0
"""Whom the children of a process that waits for them were waiting for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Process
from iotrace.report.requests import Durations, Upstream
from tests.unit.verdict.made import MS, PID, S, blocking, call, judged, process, thread

PEER = "10.0.0.9:80"


def worker() -> Process:
    """Takes jobs, and has a child do each."""
    served = blocking()
    return replace(
        served,
        threads=(thread(user=S // 10, child=10 * S - S // 10),),
        calls=(
            call("sendto", "tcp", 1_009),
            call("recvfrom", "tcp", 1_009),
            call("wait4", "", 31, wait=9 * S),
        ),
    )


def job(each_ns: int, at_once: int = 1) -> Process:
    """A child that asks a peer 20 times."""
    took = Durations(20, each_ns, each_ns, each_ns, each_ns, each_ns)
    child = process([thread(PID + 1, recv=9 * S, user=S)], pid=PID + 1, parent=PID, ended=10 * S)
    asked = Upstream(PEER, "tcp", 20, at_once, 0, None, took, None, None, 0, {})
    return replace(child, upstreams=(asked,))


@pytest.mark.parametrize(
    ("child", "told"),
    [
        (job(350 * MS), True),
        (job(100 * MS), False),  # not most of its time
        (job(350 * MS, at_once=9), False),  # together they took longer than it waited
    ],
)
def test_it_is_told_with_the_peer_that_took_much_of_their_time(child: Process, told: bool) -> None:
    report = judged(worker(), child)
    (said,) = (one.title for one in report.findings) if told else (report.processes[0].outcome,)
    assert "asleep waiting for child processes, longest in wait4" in said
    if told:
        assert report.findings[0].evidence == {"children": 1, "peer": PEER, "waited_ns": 7 * S}

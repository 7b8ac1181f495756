# SPDX-License-Identifier: Apache-2.0
"""Whose waits they are where a number is used for connections to several peers."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OpenSockets, Process
from iotrace.report.requests import Upstream
from iotrace.report.times import Durations
from iotrace.verdict.reused_descriptors import misnamed
from tests.found import by_rule
from tests.unit.reports import MS, S
from tests.unit.verdict.made import blocking, descriptor, judged

SLOW, QUICK = "10.0.0.9:80", "10.0.0.8:443"


def upstream(peer: str, count: int, each: int, at_once: int = 1) -> Upstream:
    times = Durations(count, each, each, each, each, each)
    return Upstream(peer, "tcp", count, at_once, 0, None, times, None, None, 0, {})


def caller(opened: int = 5, at_once: int = 1, quick_ns: int = 4 * MS) -> Process:
    """Asks a slow peer, a connection each time; a quick one had its number last."""
    row = descriptor(8, local="10.0.0.7:51000", peer=QUICK, polled=7 * S, opened=opened)
    return replace(
        blocking(wait=7 * S),
        descriptors=(row,),
        sockets=OpenSockets(1),
        upstreams=(upstream(SLOW, 20, 350 * MS, at_once), upstream(QUICK, 30, quick_ns)),
    )


def test_a_wait_is_told_with_the_peer_that_took_so_long() -> None:
    found = misnamed(caller())
    assert found is not None
    assert (found.peer, found.calls, found.rows) == (SLOW, 20, frozenset({(8, "tcp")}))
    evidence = by_rule(judged(caller()).findings)["IO119"].evidence
    assert (evidence["peer"], evidence["answers"]) == (SLOW, 20)


def test_a_number_that_one_peer_had_tells_whom_was_waited_for() -> None:
    assert misnamed(caller(opened=1)) is None


def test_a_peer_that_took_as_long_was_waited_for_itself() -> None:
    assert misnamed(caller(quick_ns=200 * MS)) is None


def test_answers_that_come_at_the_same_time_are_no_waits() -> None:
    assert misnamed(caller(at_once=9)) is None

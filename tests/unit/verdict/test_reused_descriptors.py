# SPDX-License-Identifier: Apache-2.0
"""Whose waits they are where a number is used for connections to several peers."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OpenSockets, Process
from iotrace.report.requests import Upstream
from iotrace.report.times import Durations
from iotrace.verdict.process_profile import profile_of
from iotrace.verdict.reused_descriptors import misnamed
from iotrace.verdict.stack import Stack, stack_of
from tests.found import by_rule
from tests.unit.reports import MS, S
from tests.unit.verdict.made import PID, blocking, descriptor, judged, line, stack
from tests.unit.verdict.made_tasks import CONSUMER, wait_of, with_tasks

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


def in_loop(opened: int = 17, tid: int = PID, at_once: int = 1) -> Process:
    """A coroutine asks with a blocking client, a connection each time, below so many frames that
    the loop's own are not kept; a visitor had the number last."""
    visitor = descriptor(7, local="127.0.0.1:8000", peer="10.0.0.3:61", opened=opened, wait=6 * S)
    frames = stack(
        "lib/http/client.py:286 begin", "app.py:6 price", "lib/starlette/routing.py:76 app"
    )
    read = replace(line("recvfrom", "tcp", 7, 20), wait_ns=6 * S, own=1, stack=frames)
    return replace(
        with_tasks(wait_of(*CONSUMER)),
        lines=(replace(read, tid=tid),),
        descriptors=(visitor,),
        upstreams=(upstream(SLOW, 20, 350 * MS, at_once),),
    )


def test_a_read_that_blocks_asyncio_is_of_no_connection_that_it_has_accepted() -> None:
    profile = profile_of(in_loop(), 10 * S)
    assert [one.peer for one in profile.outgoing()] == [SLOW]
    assert stack_of(profile, PID) is Stack.ASYNCIO
    assert judged(in_loop()).processes[0].descriptors == in_loop().descriptors  # as measured
    assert stack_of(profile, PID + 1) is Stack.UNKNOWN


def test_elsewhere_it_may_be_of_one() -> None:
    """In another thread, of a number that had one peer; or many may have been asked at a time."""
    for one in (
        in_loop(opened=1),
        in_loop(tid=PID + 1),
        in_loop(at_once=5),
        replace(in_loop(), tasks=None),
        replace(in_loop(), upstreams=(upstream(SLOW, 2, 350 * MS),)),
    ):
        assert not profile_of(one, 10 * S).outgoing()

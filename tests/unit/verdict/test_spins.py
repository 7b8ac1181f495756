"""What a spinning multiplexer is told to be ready, and polls of one descriptor that spin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Process, ReadyWatch
from iotrace.report.requests import Upstream
from iotrace.report.times import Phase
from tests.unit.verdict import made_servers
from tests.unit.verdict.made import (
    MS,
    S,
    call,
    event_loop,
    findings,
    in_call,
    line_of,
    loop,
    process,
    thread,
)

_SPINS = {"user": 6 * S, "kernel": 4 * S}


def _spinning(*watches: ReadyWatch) -> Process:
    one = event_loop(iterations=90_001, unserved=89_000, data=1_001, wait=0)
    loops = (replace(one.loops[0], ready_watches=watches),)
    return replace(one, threads=(thread(**_SPINS),), loops=loops)


@pytest.mark.parametrize(
    ("event", "word"),
    [("EPOLLOUT", "EVENT_WRITE"), ("EPOLLRDHUP", "peer has closed"), ("EPOLLIN", "not served")],
)
def test_a_spin_says_what_is_ready(event: str, word: str) -> None:
    watches = [ReadyWatch(fd, "tcp", "127.0.0.1:40009", event) for fd in (9, 11)]
    found = findings(_spinning(*watches))["IO106"]
    assert word in found.title
    assert found.fd == 9
    assert found.evidence["ready"] == event
    assert found.evidence["descriptors_ready"] == 2


def _polling_one(unserved: int) -> Process:
    """As socketserver and http.server wait for their listener."""
    polls = loop("poll", 90_000, watched=1, nfds=1, unserved=unserved, data=90_000 - unserved)
    return process([thread(**_SPINS)], [call("poll", "", 90_000)], [polls])


def test_a_poll_of_one_descriptor_can_spin_too() -> None:
    assert "IO106" in findings(_polling_one(89_000))


def test_a_poll_at_the_end_of_each_connection_is_no_spin() -> None:
    """Each connection is polled for its request, and then for its end, which moves no data."""
    assert "IO106" not in findings(_polling_one(45_000))


def test_the_spin_at_a_full_table_of_descriptors_is_its_symptom() -> None:
    accepts = call("accept4", "tcp", 89_000, errors={"EMFILE": 89_000})
    one = _spinning()
    found = findings(replace(one, calls=(*one.calls, accepts)))
    assert found["IO130"].severity == "high"
    assert "EMFILE" in found["IO130"].title
    assert "IO106" in found


@pytest.mark.parametrize("error", ["EINPROGRESS", "EAGAIN", "ECONNREFUSED"])
def test_a_connect_that_goes_on_is_no_failure(error: str) -> None:
    one = event_loop()
    connects = call("connect", "tcp", 997, errors={error: 997})
    found = findings(replace(one, calls=(*one.calls, connects)))
    assert ("IO131" in found) == (error == "ECONNREFUSED")


@pytest.mark.parametrize(("sleeps", "told"), [(0, False), (40, True), (70, True), (200, False)])
def test_sleeps_between_refused_connects_are_theirs_where_there_are_as_many(
    sleeps: int, told: bool
) -> None:
    """Who sleeps more often than it fails sleeps for something else."""
    connects = call("connect", "tcp", 50, errors={"ECONNREFUSED": 50})
    paused = call("clock_nanosleep", "", sleeps, wait=8 * S)
    waits = in_call("clock_nanosleep", "", "work.py:14 orders")
    one = process([thread(user=S, sleep=8 * S, poll=S)], [connects, paused])
    found = findings(replace(one, lines=(line_of(waits, 9, 2 * S, 300 * MS),)))["IO131"]
    assert (
        found.lines[:1] == ("work.py:14 orders -> clock_nanosleep: 9 times, 2 s, 300 ms at most",)
    ) is told
    assert ("the thread sleeps about as often" in found.title) is told
    assert ((found.cost_ns or 0) > S) is told


def test_the_line_that_is_refused_is_told_where_it_is_known() -> None:
    connects = call("connect", "tcp", 50, errors={"ECONNREFUSED": 50})
    paused = call("clock_nanosleep", "", 50, wait=8 * S)
    slow = in_call("connect", "tcp", "lib/socket.py:836 create_connection", "work.py:12 orders")
    one = process([thread(user=S, sleep=8 * S, poll=S)], [connects, paused])
    quick = replace(line_of(slow, 9, 0, 1), tid=one.threads[0].tid + 1)  # the last was another's
    nobody = Upstream("10.0.0.9:80", "tcp", 0, 0, 0, None, None, None, None, 50, {})
    for line in (line_of(slow, 9, MS, MS), quick):
        found = findings(replace(one, lines=(line,), upstreams=(nobody,)))["IO131"]
        assert found.lines == ("work.py:12 orders -> connect",)
        assert found.evidence["peer"] == "10.0.0.9:80"


@pytest.mark.parametrize(
    ("sleeps", "results", "fires"),
    [(600, 1_200, False), (600, 300, True), (300, 1_200, True), (0, 1_200, True)],
)
def test_a_watcher_of_what_another_thread_reads(sleeps: int, results: int, fires: bool) -> None:
    """multiprocessing.Pool: one thread polls the pipe of results, another reads it.

    No such thing: nobody reads between its sleeps, each round of 2 s in all takes too long, or it
    never sleeps.
    """
    polls = loop("poll", 41_350, tid=701, watched=4, nfds=4, unserved=41_000, data=0)
    waits = Phase(count=sleeps, p50=MS, p99=MS)
    asks = replace(call("poll", "", 41_350, tid=701, wait=8 * S), waits_ns=waits)
    reads = call("read", "pipe", results, tid=702, wait=9 * S)
    rows = [thread(701, user=2 * S, poll=8 * S), thread(702, user=S, recv=9 * S)]
    one = process(rows, [reads, asks], [polls])
    assert ("IO106" in findings(one)) == fires


@pytest.mark.parametrize(("error", "fires"), [("ENOTTY", False), ("EBADF", True)])
def test_to_ask_whether_it_is_a_terminal_is_no_failure(error: str, fires: bool) -> None:
    asks = call("other", "", 70_001, errors={error: 70_001})
    one = process([replace(thread(user=9 * S, poll=S), syscalls=70_101)], [asks])
    assert ("IO131" in findings(one)) == fires


def test_the_ends_of_connects_are_served_by_their_callbacks() -> None:
    """Of a client that connects again and again in vain."""
    one = event_loop(iterations=90_001, unserved=89_000, data=1_001, wait=0)
    one = replace(one, threads=(thread(**_SPINS),))
    for connects, spins in ((44_500, False), (4_000, True)):
        begun = call("connect", "tcp", connects, errors={"EINPROGRESS": connects})
        assert ("IO106" in findings(replace(one, calls=(*one.calls, begun)))) is spins


def test_a_loop_that_comes_to_its_sleep_does_not_spin() -> None:
    """Quart: each request goes through a dozen tasks, an iteration each, before the loop sleeps."""
    (one,) = made_servers.zero_timeout(True)
    (spinning,) = one.loops
    for sleeps, told in ((17, True), (20_003, False)):
        loop = replace(
            spinning,
            iterations=(spinning.empty or 0) + sleeps,
            zero_timeout=spinning.empty,
        )
        assert ("IO120" in findings(replace(one, loops=(loop,)))) is told
    unknown = replace(spinning, zero_timeout=None)
    assert "IO120" in findings(replace(one, loops=(unknown,)))


def test_a_poll_of_which_nothing_is_known_may_watch_a_closed_descriptor() -> None:
    polls = loop("poll", 90_000, watched=2, nfds=2, unserved=89_000, data=0)
    one = process([thread(**_SPINS)], [call("poll", "", 90_000)], [polls])
    advice = findings(one)["IO106"].advice
    assert "POLLNVAL" in advice
    assert "strace -e trace=poll,ppoll -p" in advice
    assert "POLLNVAL" not in findings(_spinning())["IO106"].advice  # an epoll forgets it

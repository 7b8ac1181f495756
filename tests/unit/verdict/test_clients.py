# SPDX-License-Identifier: Apache-2.0
"""What services are to their clients: too slow to end an answer, asked for nothing, left unread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Connected, OpenSockets, Process, Stalls
from iotrace.report.requests import RequestTier, Upstream
from iotrace.report.stacks import InCall
from iotrace.report.times import Durations
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.found import by_rule
from tests.unit.verdict import elsewhere, made_busy
from tests.unit.verdict.clients import (
    CALLBACK,
    NO_LISTENER,
    READS_ALL,
    asking,
    asking_sample,
    calling_back,
    computing_sample,
    trickling,
)
from tests.unit.verdict.hangs import waiting
from tests.unit.verdict.made import (
    MS,
    PID,
    US,
    S,
    call,
    descriptor,
    event_loop,
    findings,
    in_call,
    judged,
    line_of,
    loop,
    process,
    thread,
)
from tests.unit.verdict.made_tasks import PEER, wait_of, with_tasks

_SITE = "lib/site-packages"
_MQTT = f"{_SITE}/paho/mqtt/client.py"
_CALLBACK = (
    "lib/threading.py:320 Condition.wait",
    f"{_MQTT}:563 MQTTMessageInfo.wait_for_publish",
    "terminal.py:11 confirm",
    f"{_MQTT}:4501 Client._handle_on_message",
    f"{_MQTT}:2297 Client.loop_forever",
    "terminal.py:27 <module>",
)
_HUB = (
    f"{_SITE}/redis/_parsers/socket.py:65 SocketBuffer._read_from_socket",
    f"{_SITE}/kombu/transport/redis.py:967 Channel._brpop_read",
    f"{_SITE}/kombu/asynchronous/hub.py:373 Hub.create_loop",
    f"{_SITE}/celery/worker/loops.py:97 asynloop",
)


@pytest.mark.parametrize(
    ("one", "named"),
    [
        (trickling(*READS_ALL), True),
        (trickling(*READS_ALL, sent=100), False),  # another question: another answer
        (trickling(*READS_ALL, received=30_000_000), False),  # a large one
        (trickling("lib/socket.py:706 SocketIO.readinto", "check.py:15 look"), False),
        (
            trickling(
                f"{_SITE}/redis/connection.py:592 AbstractConnection.read_response",
                f"{_SITE}/redis/client.py:9 PubSub.listen", "check.py:15 look",
            ),
            False,
        ),  # messages
    ],
)  # fmt: skip
def test_an_answer_that_does_not_end(one: Process, named: bool) -> None:
    found = findings(one)
    assert ("IO195" in found) is named
    if named:
        assert found["IO195"].severity == "high"
        assert "10.0.0.9:8000 has not ended in 10 s: it comes bit by bit" in found["IO195"].title
        assert "check.py:15" in found["IO195"].lines[0]


@pytest.mark.parametrize(
    ("one", "named"),
    [
        (asking(5), True),
        (asking(60), False),  # jobs
        (asking(5, seconds_asleep=6), False),  # it pauses
        (asking(5, questions=4_000), False),  # seldom
        (replace(asking(5), cpu_samples=(asking_sample(30, 25), computing_sample(70))), False),
        (replace(asking(5), cpu_samples=()), False),  # nobody knows
    ],
)
def test_a_service_that_is_asked_without_a_pause(one: Process, named: bool) -> None:
    found = findings(one)
    assert ("IO196" in found) is named
    if named:
        assert "is asked 2,000 times a second" in found["IO196"].title


def _in_callback(unread: int, *others: InCall, timed: bool = False) -> Process:
    call_ = replace(in_call("futex", "", *_CALLBACK), timed=timed)
    threads = [waiting(PID, call_), *(waiting(701, one) for one in others)]
    return replace(process(threads), sockets=OpenSockets(1, (), 0, unread))


_WORKER = in_call("futex", "", "lib/queue.py:171 Queue.get", "terminal.py:40 work")


@pytest.mark.parametrize(
    ("one", "named"),
    [
        (_in_callback(0), True),
        (_in_callback(1, _WORKER), True),
        (_in_callback(0, _WORKER), False),  # that one may do it
        (_in_callback(0, timed=True), False),
    ],
)
def test_a_callback_that_waits_for_what_its_own_thread_reads(one: Process, named: bool) -> None:
    found = by_rule(judged(one).findings)
    assert ("IO140" in found) is named
    if named:
        title = found["IO140"].title
        assert "hangs in a callback of paho (Client._handle_on_message): it waits for" in title
        assert "a deadlock" in title
        assert "Send without waiting" in found["IO140"].advice


def test_a_library_may_wait_for_its_own_events_elsewhere() -> None:
    """A worker that another package has started, and one that waits in its own code."""
    for outer in (f"{_SITE}/multiprocess/process.py:314 Process._bootstrap", "terminal.py:9 main"):
        places = (*_CALLBACK[:3], outer)
        waits = waiting(PID, replace(in_call("futex", "", *places), timed=False))
        assert "IO140" not in findings(process([waits, thread(701, recv=10 * S)]))


@pytest.mark.parametrize("looping", [True, False])
def test_a_read_by_a_loops_own_library_keeps_all_else_waiting(looping: bool) -> None:
    places = _HUB if looping else (*_HUB[:2], f"{_SITE}/celery/worker/loops.py:130 synloop")
    reads = in_call("recvfrom", "tcp", *places, fd=20, peer="10.0.0.9:6379")
    broker = descriptor(20, local="10.0.0.7:51020", peer="10.0.0.9:6379", nonblocking=False)
    one = process([waiting(PID, reads, recv=10 * S)], descriptors=[broker])
    found = findings(one)
    assert ("IO140" in found) is looping
    if looping:
        assert "10.0.0.9:6379: no answer comes, and its event loop serves nothing" in (
            found["IO140"].title
        )
        assert "socket_timeout" in found["IO140"].advice


@pytest.mark.parametrize(
    ("connects", "longest", "named"),
    [
        (3, 2 * S, True),
        (9, 2 * S, False),  # more often than the loop was held up
        (3, 300 * MS, False),  # no heartbeat is as short
    ],
)
def test_a_blocked_loop_loses_its_connection_to_a_broker(
    connects: int, longest: int, named: bool
) -> None:
    stalls = Stalls(4, 8 * S, 0, 0, dict.fromkeys(WAIT_REASONS, 0), None)
    times = Durations(connects, *(US,) * 5)
    broker = Upstream("10.0.0.9:5672", "tcp", 14, 1, 0, None, None, None, times, 0, {})
    rows = (
        descriptor(7, local="10.0.0.7:51007", peer="10.0.0.9:5672", opened=connects),
        descriptor(8, local="10.0.0.7:51008", peer="10.0.0.8:80", nonblocking=False, wait=8 * S),
    )
    one = replace(
        event_loop(),
        threads=(thread(user=S, poll=S, recv=8 * S),),
        calls=(call("recvfrom", "tcp", 43, wait=8 * S), call("epoll_wait", "", 41, wait=S)),
        loops=(loop(wait=S, stalls=stalls, busy=longest),),
        descriptors=rows,
        upstreams=(broker,),
    )
    blocked = findings(one)["IO104"]
    assert ("made anew 3 times" in blocked.title) is named
    assert ("heartbeats" in blocked.advice) is named


@pytest.mark.parametrize(
    ("one", "named"),
    [
        (calling_back(4, *CALLBACK), True),
        (calling_back(1, *CALLBACK), False),  # it was never lost
        (calling_back(9, *CALLBACK), False),  # more often than callbacks were called
        (calling_back(4, *CALLBACK[:3]), False),
    ],
)
def test_slow_callbacks_lose_the_connection(one: Process, named: bool) -> None:
    found = findings(one)
    assert ("IO197" in found) is named
    if named:
        assert found["IO197"].title.endswith("to 10.0.0.9:5672, which was made anew 3 times")


def test_what_a_callback_waits_for_is_no_work() -> None:
    """A service that takes most of a consumer's time is named; the wait for messages is not."""
    assert "IO119" in findings(calling_back(1, *CALLBACK))
    assert "IO119" not in findings(calling_back(1, *CALLBACK[3:]))


def test_connections_that_nobody_uses_while_others_are_made_are_a_leak() -> None:
    connect = Durations(57, *(MS,) * 5)
    calls = Upstream(PEER, "tcp", 57, 1, 0, None, connect, None, connect, 0, {})
    row = descriptor(73, local="10.0.0.7:51073", peer=PEER, opened=58)
    sockets = OpenSockets(63, ("127.0.0.1:8000",), 0, 0, connected=(Connected(PEER, 60, 0),))
    one = replace(event_loop(), descriptors=(row,), upstreams=(calls,), sockets=sockets)
    found = findings(one)["IO161"]
    assert "59 connections to 10.0.0.9:5432 are open, and none of them was used" in found.title
    assert "while 57 others were made, and closed again" in found.title
    before = replace(one, upstreams=(), descriptors=(replace(row, opened=40),))  # of clients
    assert "IO161" not in findings(before)
    used = replace(row, opened=1)  # nothing tells that one of those that were made was closed
    assert "59" not in findings(replace(one, descriptors=(used,)))["IO161"].title
    quick = line_of(in_call("connect", "tcp", "work.py:12 orders"), 57, 0, 1)
    leaking = replace(one, lines=(quick,), descriptors=(used,))
    assert findings(leaking)["IO161"].lines == ("work.py:12 orders -> connect",)
    few = replace(sockets, connected=(Connected(PEER, 9, 0),))
    assert "IO161" not in findings(replace(one, sockets=few))


def test_requests_that_receive_much_are_told_so() -> None:
    (one,) = made_busy.computing_requests(True)
    row = descriptor(8, local="10.0.0.7:51008", peer=PEER, bytes_in=3_000_000_000)
    told = loop("poll", 96_000, timeouts=0, nfds=1, watched=1)
    # All 500 may have received it: nothing tells that it was the slow ones.
    receiving = replace(one, descriptors=(*one.descriptors, row), loops=(told,))
    assert "compute" in findings(receiving)["IO178"].title
    (served,) = one.requests
    for each_ns, words in ((MS, "compute"), (MS // 10, "and most likely 126 MB for each came")):
        quick = RequestTier(0, 2 * MS, 480, 480 * each_ns, 0, {}, {"user": 480 * each_ns})
        tiers = (quick, served.tiers[-1])
        asked = replace(receiving, requests=(replace(served, exchanges=500, tiers=tiers),))
        assert words in findings(asked)["IO178"].title
    slow = tuple(replace(listener, exchanges=20) for listener in one.requests)
    receiving = replace(receiving, requests=slow)
    found = findings(receiving)["IO178"]
    assert found.title == (
        "Slow requests receive much data: 20 of 20 took 300 ms on average, and 150 MB for each "
        "came from 10.0.0.9:5432"
    )
    assert "server-side cursor" in found.advice
    few = replace(row, bytes_in=300_000_000)
    little = replace(one, requests=slow, descriptors=(*one.descriptors, few))
    assert "compute" in findings(little)["IO178"].title  # it does more with it than to receive it
    vain = replace(one, loops=(replace(told, empty=90_000),))
    assert "calls poll again and again" in findings(vain)["IO178"].title
    assert "again" not in findings(replace(one, loops=(told,)))["IO178"].title


def test_the_lock_of_a_pool_is_no_pool_that_is_exhausted() -> None:
    pool = f"{_SITE}/redis/asyncio/connection.py:{{}} ConnectionPool.get_connection"
    waits = ("lib/asyncio/locks.py:114 Lock.acquire", pool.format(1096), "app.py:13 visit")
    connects = (
        "lib/asyncio/streams.py:522 StreamReader._wait_for_data", pool.format(1100),
        "app.py:13 visit",
    )  # fmt: skip
    one = with_tasks(wait_of(*waits), wait_of(*connects, tasks=1))
    found = findings(one)["IO160"]
    assert found.title.startswith(
        "Requests queue for an asyncio lock or semaphore in ConnectionPool.get_connection"
    )
    assert (
        "connection.py:1100 get_connection: awaited by the task that most likely has it"
        in (found.lines[-1])
    )
    full = with_tasks(wait_of("lib/asyncio/locks.py:400 Semaphore.acquire", *waits[1:]))
    assert "Connection pool exhausted" in findings(full)["IO160"].title


def test_of_connects_that_were_given_up_the_peer_is_that_of_those_under_way() -> None:
    (one,) = elsewhere.lost_packets(True)
    assert "peer" not in findings(one)["IO157"].evidence
    connects = in_call(
        "poll", "", "lib/site-packages/urllib3/util/connection.py:85 create_connection",
        "app.py:14 find", peer="10.45.0.9:9200",
    )  # fmt: skip
    waits = replace(one, threads=(*one.threads, waiting(701, connects, poll=5 * S)))
    assert "connects to 10.45.0.9:9200 took 1 s or more" in findings(waits)["IO157"].title


@pytest.mark.parametrize(("idle", "severity"), [(3 * S, "low"), (S // 2, "high")])
def test_a_consumer_that_keeps_up_blocks_nobody(idle: int, severity: str) -> None:
    """It serves nobody: only the next message waits while it is at one; with no time left, many."""
    work = in_call("recvfrom", "tcp", *CALLBACK, fd=8)
    fetch = in_call("epoll_wait", "", *CALLBACK[3:])
    busy = 9 * S - idle
    one = process(
        [thread(user=S, recv=busy, poll=idle)],
        [call("recvfrom", "tcp", 43, wait=busy), call("epoll_wait", "", 41, wait=idle)],
        [loop(wait=idle, busy=700 * MS)],
        [
            descriptor(7, local="10.0.0.7:51007", peer="10.0.0.9:5672"),
            descriptor(8, local="10.0.0.7:51008", peer="10.0.0.8:80", wait=busy),
        ],
    )
    lines = (line_of(work, 40, busy, 700 * MS), line_of(fetch, 40, idle, S))
    consumer = replace(one, lines=lines, sockets=NO_LISTENER)
    found = by_rule(judged(consumer).findings)
    assert found["IO104"].severity == severity
    assert ("IO119" in found) is (severity == "high")


def test_who_waits_for_mail_in_idle_waits_for_no_answer() -> None:
    """A mailbox that is watched: IMAP's server says something when a message comes."""
    for place, told in (
        (f"{_SITE}/imapclient/imapclient.py:961 IMAPClient.idle_check", False),
        (f"{_SITE}/imapclient/imapclient.py:1644 IMAPClient._consume_until_tagged_response", True),
    ):
        one = trickling("lib/selectors.py:415 poll", place, "watcher.py:12 watch", sent=400)
        assert ("IO119" in findings(one)) is told, place

# SPDX-License-Identifier: Apache-2.0
"""What services are to their clients: too slow to end an answer, asked for nothing, left unread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import OpenSockets, Process, Stalls
from iotrace.report.requests import Upstream
from iotrace.report.stacks import InCall
from iotrace.report.times import Durations
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.found import by_rule
from tests.unit.verdict.clients import READS_ALL, asking, trickling
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
    loop,
    process,
    thread,
)

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
        one = process([waiting(PID, replace(in_call("futex", "", *places), timed=False))])
        assert "IO140" not in findings(one)


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

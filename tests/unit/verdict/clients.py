"""Clients of services that say too little or too slowly, and their twins."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OpenSockets, Process
from iotrace.report.requests import Upstream
from iotrace.report.stacks import CpuSample, Frame
from iotrace.report.times import Durations
from tests.unit.verdict.made import (
    MS,
    PID,
    US,
    S,
    call,
    descriptor,
    in_call,
    line_of,
    process,
    thread,
)

_SITE = "lib/site-packages"
READS_ALL = (
    "lib/socket.py:706 SocketIO.readinto",
    f"{_SITE}/urllib3/response.py:1134 HTTPResponse.read",
    f"{_SITE}/requests/models.py:902 Response.content",
    f"{_SITE}/requests/sessions.py:602 Session.get",
    "check.py:15 look",
)
NO_LISTENER = OpenSockets(1, (), 0, 0)


def trickling(*places: str, sent: int = 0, received: int = 16_000) -> Process:
    """Its one thread polls a connection all along, and reads what little there is."""
    peer = "10.0.0.9:8000"
    waits = in_call("poll", "", *places, fd=5)
    row = descriptor(
        5, local="10.0.0.7:51005", peer=peer, bytes_in=received, bytes_out=sent, polled=9_900 * MS
    )
    one = process(
        [thread(poll=9_900 * MS, user=100 * MS)],
        [call("poll", "", 101, wait=9_900 * MS), call("recvfrom", "tcp", 101, bytes=received)],
        (),
        [row],
    )
    return replace(
        one, sockets=NO_LISTENER, lines=(line_of(waits, 101, 9_900 * MS, 100 * MS, PID),)
    )


def endless(wrong: bool) -> tuple[Process, ...]:
    """An answer of which all is wanted; one that the program looks at piece by piece."""
    by_pieces = (*READS_ALL[:2], f"{_SITE}/requests/models.py:820 Response.iter_content")
    return (trickling(*(READS_ALL if wrong else (*by_pieces, "check.py:15 look"))),)


def asking(received: int, *, seconds_asleep: int = 0, questions: int = 20_000) -> Process:
    """Asks for work all the time that it does not sleep."""
    peer = "10.0.0.9:6379"
    theirs = Durations(questions, *(10 * US,) * 5)
    busy = (10 - seconds_asleep) * S
    row = descriptor(
        5, local="10.0.0.7:51005", peer=peer, nonblocking=False, bytes_in=received * questions
    )
    one = process(
        [thread(user=busy // 2, runq=busy // 2, sleep=seconds_asleep * S)],
        [call("recvfrom", "tcp", questions), call("sendto", "tcp", questions)],
        (),
        [row],
    )
    upstream = Upstream(peer, "tcp", questions, 1, 0, None, theirs, None, None, 0, {})
    samples = (asking_sample(90, 40), computing_sample(10))
    return replace(one, sockets=NO_LISTENER, upstreams=(upstream,), cpu_samples=samples)


def asking_sample(samples: int, in_calls: int) -> CpuSample:
    """In a library, below the function that asks."""
    own = Frame("next_job", "/srv/worker.py", 9)
    inner = Frame("Connection.read_response", f"/{_SITE}/redis/connection.py", 592)
    return CpuSample(PID, samples, samples * 10 * MS, in_calls, 0, 0, 1, (inner, own))


def computing_sample(samples: int) -> CpuSample:
    """Elsewhere, in the program's own code."""
    own = Frame("scores", "/srv/worker.py", 30)
    return CpuSample(PID, samples, samples * 10 * MS, 0, 0, 0, 0, (own,))


def asking_on(wrong: bool) -> tuple[Process, ...]:
    """Nothing comes each time; or a job each time."""
    return (asking(5 if wrong else 60),)


CALLBACK = (
    "lib/socket.py:706 SocketIO.readinto",
    "lib/urllib/request.py:216 urlopen",
    "consumer.py:14 on_task",
    f"{_SITE}/pika/adapters/blocking_connection.py:1891 BlockingChannel.start_consuming",
    "consumer.py:30 <module>",
)


def calling_back(opened: int, *places: str) -> Process:
    """It waits for a service most of the time, while the broker is connected to again."""
    waits = in_call("recvfrom", "tcp", *places, fd=8)
    times = Durations(opened - 1, *(US,) * 5)
    rows = (
        descriptor(7, local="10.0.0.7:51007", peer="10.0.0.9:5672", opened=opened),
        descriptor(8, local="10.0.0.7:51008", peer="10.0.0.8:80", nonblocking=False, wait=8 * S),
    )
    one = process(
        [thread(recv=8 * S, user=2 * S)], [call("recvfrom", "tcp", 40, wait=8 * S)], (), rows
    )
    broker = Upstream("10.0.0.9:5672", "tcp", 14, 1, 0, None, None, None, times, 0, {})
    lines = (line_of(waits, 4, 8 * S, 2 * S, PID),)
    return replace(one, sockets=NO_LISTENER, upstreams=(broker,), lines=lines)


def slow_callbacks(wrong: bool) -> tuple[Process, ...]:
    """A callback that waits, and a broker that gives up; the same in a thread of its own."""
    return (calling_back(4, *(CALLBACK if wrong else CALLBACK[:3])),)

"""What is told of web servers: their workers, their ends, their uploads and downloads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import GroupLimits, OpenSockets, Pickup, Process, Signal
from iotrace.report.requests import Durations, Requests
from iotrace.report.stacks import CpuSample
from iotrace.report.times import Phase
from tests.found import Found
from tests.unit.verdict import hangs, made_busy, made_ends
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    event_loop,
    findings,
    in_call,
    judged,
    line_of,
    process,
    stack,
    thread,
)
from tests.unit.verdict.made_tasks import wait_of

LOADS = stack("app.py:11 search_index")


def test_what_killed_workers_compute_is_told_with_them() -> None:
    """And only there: IO133 of each of them follows from it."""
    (found,) = judged(*made_ends.killed_workers(True)).findings
    assert found.id == "IO192"
    assert found.title.startswith(
        "Workers are killed while they start, again and again: 3 workers ended by SIGABRT 3 s after"
    )
    assert found.title.endswith("and nobody serves")
    assert found.lines[0].startswith("srv/app.py:11 search_index")
    assert {one.id for one in found.symptoms} <= {"IO133"}


def test_workers_that_crash_are_told_so() -> None:
    parent, *workers = made_ends.killed_workers(True)
    took = Durations(3, *(MS,) * 5)
    served = (Requests("127.0.0.1:8000", 3, 3, 0, None, took, None, None, None, None),)
    crashed = [
        replace(one, signals=(Signal(one.pid, "SIGSEGV", 1),), requests=served) for one in workers
    ]
    found = findings(parent, *crashed)["IO192"]
    assert found.title.startswith("Workers are killed, again and again: 3 workers ended by SIGSEGV")
    assert "nobody serves" not in found.title
    assert "faulthandler" in findings(parent, *crashed)["IO192"].advice  # type: ignore[union-attr]
    assert "IO192" not in findings(parent, *workers[:1])


def test_children_without_a_listener_may_be_killed() -> None:
    """A supervisor of jobs that kills those which take too long."""
    parent, *workers = made_ends.killed_workers(True)
    jobs = [replace(one, sockets=None) for one in workers]
    assert "IO192" not in {one.id for one in judged(parent, *jobs).findings}


def test_whom_the_kernel_kills_for_want_of_memory_is_told_though_it_is_no_server() -> None:
    parent, *workers = made_ends.killed_workers(True)
    jobs = [
        replace(one, sockets=None, signals=(Signal(one.pid, "SIGKILL", 1),)) for one in workers[:1]
    ]
    limits = GroupLimits(memory_group="/pod", memory_limit_bytes=150 << 20, oom_kills=1)
    supervisor = replace(parent, sockets=None, limits=limits)
    found = findings(supervisor, *jobs)["IO192"]
    assert found.title.startswith(
        "The kernel kills processes for want of memory: 1 process of the control group /pod, which "
        "may have 150 MiB, by SIGKILL in 10 s"
    )
    none = replace(supervisor, limits=replace(limits, oom_kills=0))
    assert "IO192" not in findings(none, *jobs)
    ended = [replace(one, signals=(Signal(one.pid, "SIGTERM", 1),)) for one in jobs]
    assert "IO192" not in findings(supervisor, *ended)


def test_the_end_that_does_not_come_names_the_streams() -> None:
    (found,) = judged(*made_ends.endless_shutdown(True)).findings
    assert found.title.startswith("The server is shutting down and does not come to its end: ")
    assert "3 connections of clients (10.0.0.7, 10.0.0.8, 10.0.0.9)" in found.title
    assert found.lines[0].startswith("srv/app.py:13 changes: 3 asyncio tasks")


def test_the_end_that_waits_for_children_says_whether_there_are_any() -> None:
    starts = (
        "lib/asyncio/base_subprocess.py:230 BaseSubprocessTransport._wait",
        "lib/asyncio/subprocess.py:218 create_subprocess_exec",
        "app.py:9 check",
    )
    (one,) = made_ends.endless_shutdown(True)
    assert one.tasks is not None
    rows = (wait_of(*starts, tasks=2), *one.tasks.rows[1:])
    alone = replace(one, descriptors=(), tasks=replace(one.tasks, rows=rows))
    found = findings(alone)["IO193"]
    assert "2 asyncio tasks, waiting for the end of child processes, are" in found.title
    assert "asyncio.shield" in found.advice
    child = process([thread(701, poll=10 * S)], pid=701, parent=PID)
    assert "no more" not in findings(alone, child)["IO193"].title
    ended = replace(child, ended_ns=5 * S)
    assert "processes that are there no more," in findings(alone, ended)["IO193"].title


def test_a_thread_that_ends_a_server_waits_for_its_handlers() -> None:
    joins = in_call(
        "futex", "", "lib/threading.py:1112 Thread.join", "lib/socketserver.py:659 _Threads.join",
        "lib/socketserver.py:697 ThreadingMixIn.server_close", "app.py:30 main",
    )  # fmt: skip
    one = process([hangs.waiting(PID, joins)])
    assert one.sockets is not None
    ended = replace(one, sockets=replace(one.sockets, count=2))
    (found,) = judged(ended).findings
    assert (found.id, found.tid) == ("IO193", PID)
    assert found.title.startswith("The program is shutting down and does not come to its end")


def test_a_server_that_has_just_begun_to_end_may_finish_what_is_under_way() -> None:
    looks = in_call(
        "clock_nanosleep", "", "lib/site-packages/gunicorn/arbiter.py:395 Arbiter.stop",
        "lib/site-packages/gunicorn/arbiter.py:342 Arbiter.halt", wait=40 * MS, since=9 * S,
    )  # fmt: skip
    for waited, grave in ((6 * S, False), (9_500 * MS, True)):
        master = replace(
            process([hangs.waiting(PID, looks, sleep=10 * S)]),
            lines=(line_of(looks, 60, waited, 100 * MS),),
            sockets=OpenSockets(3, (), 0, 0),
        )
        found = findings(master)["IO193"]
        assert (found.severity == "high") is grave
        assert ("does not come to its end" in found.title) is grave


def test_a_master_that_looks_for_the_end_of_its_workers_again_and_again() -> None:
    """It sleeps for 0.1 s at a time; what it waits for is in the worker."""
    looks = in_call(
        "clock_nanosleep", "", "lib/site-packages/gunicorn/arbiter.py:395 Arbiter.stop",
        "lib/site-packages/gunicorn/arbiter.py:342 Arbiter.halt", wait=40 * MS, since=9 * S,
    )  # fmt: skip
    streams = in_call("clock_nanosleep", "", "app.py:6 gen", *hangs.HANDLER, wait=40 * MS)
    closed = OpenSockets(3, (), 0, 0)
    master = replace(
        process([hangs.waiting(PID, looks, sleep=10 * S)]),
        lines=(line_of(looks, 99, 9_900 * MS, 100 * MS),),
        sockets=closed,
    )
    worker = replace(
        process([hangs.waiting(701, streams, sleep=10 * S)], pid=701, parent=PID),
        descriptors=(replace(descriptor(7), unsent_bytes=0), descriptor(8)),  # one has gone
        lines=(line_of(streams, 9, 9 * S, S, tid=701),),
        sockets=closed,
    )
    (found,) = (one for one in judged(master, worker).findings if one.id == "IO193")
    assert "Arbiter.stop (gunicorn/arbiter.py:395) has been waiting for 9.9 s" in found.title
    assert found.title.endswith(
        "while 1 connection of clients (127.0.0.1) and 1 worker process are still there"
    )
    assert found.lines[0].startswith("srv/app.py:6 gen -> clock_nanosleep")


def _upload(busy: int) -> Process:
    """40 MB by 4,850 reads, each of data that has been there for a while; not answered."""
    row = Requests("127.0.0.1:8000", 1, 0, 1, 4 * S, None, None, None, None, None)
    parses = stack("lib/site-packages/werkzeug/sansio/multipart.py:201 next_event", "app.py:9 up")
    one = process(
        [replace(thread(user=busy, recv=10 * S - busy), requests=1)],
        [call("recvfrom", "tcp", 4_850, bytes=40_000_000)],
        (),
        [descriptor(7, pickup=(4_850, 738 * MS, 3 * S, 3 * S), bytes_in=40_000_000)],
    )
    samples = (CpuSample(PID, 400, 4 * S, 0, 0, 0, 1, parses),)
    return replace(one, requests=(row,), cpu_samples=samples)


def test_a_request_that_still_computes_is_told_before_its_data() -> None:
    """The data lay there for no longer than the trace took, however many reads it took."""
    found = findings(_upload(9_500 * MS))
    assert found["IO178"].evidence["owed_for_ns"] == 4 * S
    assert found["IO178"].lines[0].startswith("srv/app.py:9 up -> werkzeug/sansio/multipart.py:201")
    assert found["IO105"].cost_ns == 10 * S
    assert "IO178" not in findings(_upload(6 * S))
    # A thread that has lived for a moment: the request that is owed is in another's hands.
    computing = _upload(9_500 * MS)
    (row,) = computing.threads
    brief = replace(row, states_ns=thread(user=100 * MS).states_ns, lifetime_ns=100 * MS)
    assert "IO178" not in findings(replace(computing, threads=(brief,)))


def test_an_event_loop_that_sleeps_is_not_told_to_have_threads() -> None:
    loop = ("lib/asyncio/base_events.py:1922 BaseEventLoop._run_once", "app.py:30 main")
    sleeps = in_call("clock_nanosleep", "", "app.py:16 load", *loop)
    one = process([hangs.waiting(PID, sleeps, sleep=10 * S)], [call("accept4", "tcp", 1)])
    found = findings(one, pending=1)["IO146"]
    assert found.title.startswith("The event loop's thread sleeps: 1 connection waits to be")
    (cause,) = judged(replace(one, sockets=hangs.listener(1))).findings
    assert (cause.id, [symptom.id for symptom in cause.symptoms]) == ("IO104", ["IO146"])
    assert "IO104" not in findings(one), "nobody minds"


@pytest.mark.parametrize(("looked_up", "found"), [(0, True), (60, False)])
def test_many_short_matches_do_not_backtrack(looked_up: int, found: bool) -> None:
    (one,) = made_busy.never_sleeps(True)
    places = {"findall": 600 - looked_up, "_compile": looked_up}
    samples = tuple(
        CpuSample(701, count, S, 0, 0, 0, 0, stack(f"lib/re/__init__.py:99 {name}"))
        for name, count in places.items()
        if count
    )
    (told,) = judged(replace(one, cpu_samples=samples)).findings
    assert ("backtracking" in told.advice) is found


def _file_in_pieces(size: int, sent: int) -> Process:
    """An event loop that has a film read by a thread."""
    one = event_loop()
    film = descriptor(
        9, kind="file", local="/srv/film.mp4", peer="", calls=50_000, bytes_in=50_000 * size,
        bytes_out=0,
    )  # fmt: skip
    client = descriptor(8, bytes_out=sent)
    loop = thread(user=3 * S, kernel=2 * S, poll=5 * S)
    reader = thread(701, user=S, lock=9 * S)
    calls = (
        call("read", "file", 50_000, tid=701, bytes=50_000 * size, filled=50_000),
        call("sendto", "unix", 50_000, tid=701, bytes=50_000),
    )
    place = stack(
        "lib/concurrent/futures/thread.py:175 ThreadPoolExecutor.submit",
        "lib/site-packages/aiofiles/threadpool/utils.py:36 method",
        "lib/site-packages/starlette/responses.py:308 FileResponse.__call__",
    )
    return replace(
        one,
        threads=(loop, reader),
        calls=(*one.calls, *calls),
        descriptors=(client, film),
        cpu_samples=(CpuSample(PID, 300, 3 * S, 0, 0, 0, 2, place),),
    )


def test_a_file_that_threads_read_in_small_pieces() -> None:
    found = findings(_file_in_pieces(4_096, 200_000_000))["IO110"]
    assert found.evidence["file"] == "/srv/film.mp4"
    assert "nobody" not in found.title
    assert found.lines[0].startswith("starlette/responses.py:308 FileResponse.__call__ -> read")
    gone = findings(_file_in_pieces(4_096, 3_000))["IO110"]
    assert "it is sent to nobody: all sockets together got 3,000 bytes" in gone.title
    assert "IO110" not in findings(_file_in_pieces(65_536, 3_000_000_000))


def test_a_file_that_is_open_twice_is_one_file() -> None:
    one = _file_in_pieces(4_096, 200_000_000)
    (film,) = [row for row in one.descriptors if row.local == "/srv/film.mp4"]
    again = replace(film, fd=film.fd + 1, bytes_in=5)
    other = replace(film, fd=film.fd + 2, local="/srv/other.mp4", bytes_in=100)
    found = findings(replace(one, descriptors=(*one.descriptors, again, other)))["IO110"]
    assert found.evidence["file"] == "/srv/film.mp4"


def test_a_file_that_threads_write_in_small_pieces() -> None:
    """What is written is not told as read, and goes to nobody by nature."""
    one = _file_in_pieces(4_096, 3_000)
    writes = tuple(
        replace(row, syscall="write") if row.kind == "file" else row for row in one.calls
    )
    found = findings(replace(one, calls=writes))["IO110"]
    assert found.title.startswith("A file is written in small pieces, each in another thread: ")
    assert found.evidence["writes"] == 50_000
    assert found.lines[0].endswith("-> write, each piece in another thread")
    assert "nobody" not in found.title


def _answers_in_two_sends(connections: int, unsent: int, histogram: int) -> Process:
    took = Durations(100, *(6 * MS,) * 5)
    rows = tuple(
        replace(
            descriptor(7 + number, calls=300 // connections, bytes_out=30_000 // connections),
            nodelay=False,
            unsent_bytes=348 if number < unsent else 0,
            pickup_ns=Pickup(100 // connections, MS, MS, MS),
        )
        for number in range(connections)
    )
    one = event_loop()
    waits = Phase(200, 44 * MS, 44 * MS, ((33_554_432, 50_331_648, histogram),))
    polls = replace(one.calls[-1], waits_ns=waits)
    row = Requests("127.0.0.1:8000", connections, 100, 0, None, took, None, None, None, None)
    return replace(one, calls=(*one.calls[:-1], polls), descriptors=rows, requests=(row,))


def test_what_goes_to_all_others_is_no_answer_in_pieces() -> None:
    """20 connections: each message is sent on to all of them; or an answer has as many pieces."""
    loop = thread(user=6 * S, kernel=2 * S, poll=2 * S)
    rows = tuple(
        replace(
            descriptor(7 + number, calls=9_000, bytes_out=450_000, bytes_in=9_000),
            nodelay=False, unsent_bytes=50,
        )
        for number in range(20)
    )  # fmt: skip

    def found(mixed: int, exchanges: int) -> Found:
        row = Requests("127.0.0.1:8000", 20, exchanges, 0, None, None, None, None, None, None)
        row = replace(row, several_at_once=mixed)
        return findings(replace(event_loop(), threads=(loop,), descriptors=rows, requests=(row,)))

    told = found(7, 9_000)
    assert told["IO167"].title == (
        "Each message that comes is sent on to all, most likely: 9,000 messages made 180,000 sends "
        "of 50 bytes each on 20 connections, and the process computes 80 % of the time"
    )
    assert "square" in told["IO167"].advice
    assert "IO154" not in told
    assert "IO167" not in found(0, 9_000)
    assert "in tiny pieces" in found(7, 900)["IO167"].title


def test_answers_of_an_event_loop_in_two_sends_are_held() -> None:
    """One connection: it sleeps for the acknowledgement; several: most have data unsent."""
    for connections, unsent, histogram, held in (
        (1, 1, 90, True), (1, 0, 10, False), (10, 8, 0, True), (10, 1, 0, False),
    ):  # fmt: skip
        one = _answers_in_two_sends(connections, unsent, histogram)
        assert ("IO154" in findings(one)) is held, (connections, unsent, histogram)

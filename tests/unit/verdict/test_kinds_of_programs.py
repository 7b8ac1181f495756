"""Faults that look different in other kinds of programs: consumers, event loops, greenlets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Connected, OpenSockets, Process, TaskWaits
from iotrace.report.requests import Durations, Requests, RequestTier, Upstream
from iotrace.report.stacks import CpuSample, Frame
from tests.unit.verdict import made_tasks
from tests.unit.verdict.hangs import BOOTSTRAP, HANDLER, held_lock, polled_result, waiting
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    event_loop,
    findings,
    in_call,
    line_of,
    process,
    stack,
    thread,
)
from tests.unit.verdict.made_busy import long_iterations, polls_files

_PEER = "10.0.0.9:5432"
_LOOP = ("lib/asyncio/events.py:80 Handle._run", "lib/asyncio/base_events.py:1922 _run_once")
_PUTS = ("lib/threading.py:320 Condition.wait", "lib/queue.py:140 Queue.put", "work.py:14 feed")


def _asking(*outer: str) -> Process:
    """A thread that has waited all along for a database, without a frame of a library."""
    asks = in_call("poll", "tcp", "work.py:7 save", *outer, fd=4, peer=_PEER)
    row = descriptor(4, local="10.0.0.7:51004", peer=_PEER, bytes_out=0)
    return process([waiting(701, asks, poll=10 * S)], descriptors=[row])


def test_consumers_that_hang_are_why_a_queue_is_full() -> None:
    one = _asking(*BOOTSTRAP)
    assert "IO140" not in findings(one)  # it may listen, and nobody waits for it
    puts = waiting(PID, in_call("futex", "", *_PUTS))
    found = findings(replace(one, threads=(puts, *one.threads)))["IO140"]
    assert f"Thread 701 hangs in poll from {_PEER}" in found.title
    assert "a queue of the program is full meanwhile" in found.title
    assert found.evidence["threads_putting_into_a_full_queue"] == 1
    assert [one.split(" ->")[0] for one in found.lines] == ["work.py:7 save", "work.py:14 feed"]
    alone = findings(process([puts]))["IO140"]
    assert "nobody takes from it" in alone.title


def test_who_hangs_in_a_loop_keeps_all_others_waiting() -> None:
    serves = "lib/site-packages/starlette/routing.py:76 app"
    assert "event loop" in findings(_asking(serves, *_LOOP))["IO140"].title
    assert "event loop" not in findings(_asking(serves, *BOOTSTRAP))["IO140"].title
    (polls,) = polled_result(True)
    assert "event loop" not in findings(polls)["IO170"].title
    looking = in_call(
        "clock_nanosleep", "", "lib/site-packages/tasks/api.py:90 Result.get", "work.py:7 count",
        serves, *_LOOP, wait=50 * MS, since=9_900 * MS,
    )  # fmt: skip
    rows = tuple(replace(row, in_call=looking) for row in polls.threads)
    lines = (line_of(looking, 200, 19_800 * MS, 100 * MS, 702),)
    found = findings(replace(polls, threads=rows, lines=lines))["IO170"]
    assert found.title.endswith("its event loop serves nothing else meanwhile")


@pytest.mark.parametrize(("elsewhere", "told"), [(0, True), (2 * S, False)])
def test_a_loop_is_blocked_though_stacks_are_followed_late(elsewhere: int, told: bool) -> None:
    """Of ten seconds asleep in such calls only three have a line."""
    asks = in_call(
        "recvfrom", "tcp", "work.py:7 save", *_LOOP, fd=4, wait=300 * MS, since=9_700 * MS
    )
    other = in_call("recvfrom", "tcp", "work.py:9 warm_up", fd=5)
    one = process([waiting(PID, asks, recv=10 * S)], [call("recvfrom", "tcp", 20, wait=10 * S)])
    lines = (line_of(asks, 6, 3 * S, 500 * MS), line_of(other, 9, elsewhere, 500 * MS))
    tasks = TaskWaits(12, 9 * S, 5, ())
    found = findings(replace(one, lines=lines, tasks=tasks))
    assert ("IO104" in found) is told


def _with_child(*outer: str, slow: int = 40) -> Process:
    """So many requests of half a second each, in which a thread waits for a program."""
    waits = in_call("wait4", "", "lib/subprocess.py:2011 Popen._try_wait", "work.py:5 convert",
                    *outer)  # fmt: skip
    took = Durations(slow, S, S, S, S, S)
    tier = RequestTier(100 * MS, 20 * S, slow, slow * 500 * MS, 0, {}, {"child": 9 * S})
    row = Requests("127.0.0.1:8000", 9, slow, 0, None, took, None, None, None, None, (tier,))
    one = process([thread(tid, child=10 * S) for tid in (701, 702)])
    lines = (line_of(waits, 18, 9 * S, 600 * MS, 701), line_of(waits, 18, 9 * S, 600 * MS, 702))
    return replace(one, requests=(row,), lines=lines)


def test_requests_that_wait_for_a_program_are_told_so() -> None:
    found = findings(_with_child(*HANDLER))["IO158"]
    assert found.title.startswith("Requests wait for a child process at work.py:5 convert: 500 ms")
    assert found.evidence["slow_requests"] == 40
    assert "IO158" not in findings(_with_child(*BOOTSTRAP))  # another thread than one that serves
    assert "IO158" not in findings(_with_child(*HANDLER, slow=400))  # most of them do not


_IMPORTS = (
    Frame("_path_stat", "<frozen importlib._bootstrap_external>", 147),
    Frame("_find_and_load", "<frozen importlib._bootstrap>", 1178),
    Frame("index", "/srv/work.py", 8),
)


def _sampled(one: Process, frames: tuple[Frame, ...]) -> Process:
    return replace(one, cpu_samples=(CpuSample(PID, 300, S, 0, 0, 0, 2, frames),))


def test_what_is_imported_again_and_again_is_no_polling_of_files() -> None:
    (one,) = polls_files(True)
    found = findings(_sampled(one, _IMPORTS))["IO172"]
    assert found.title.startswith("Imports modules again and again: a thread looks for their files")
    assert found.lines == ("work.py:8 index -> import",)
    (loop,) = long_iterations(True)
    found = findings(_sampled(loop, _IMPORTS))["IO132"]
    assert found.title.startswith("Event loop imports modules for 10 to 50 ms")
    assert found.lines == ("work.py:8 index -> import",)
    assert found.advice.startswith("Import when the program starts")
    started = Frame("<module>", "/srv/main.py", 1)
    runs = Frame("BaseEventLoop._run_once", "/usr/lib/python3.11/asyncio/base_events.py", 1922)
    module = Frame("<module>", "/srv/work.py", 3)
    for frames, imports in (
        (_IMPORTS[2:], False),
        ((_IMPORTS[2], _IMPORTS[1], started), False),  # the server runs within `import work`
        ((runs, module, _IMPORTS[1], started), False),
        ((module, _IMPORTS[1], started), True),
    ):
        title = findings(_sampled(loop, frames))["IO132"].title
        assert ("imports" in title) is imports


def test_who_has_just_begun_to_import_does_not_poll_files() -> None:
    (one,) = polls_files(True)
    (row,) = one.threads
    waits = {name: ns // 8 for name, ns in row.states_ns.wait.items()}
    young = replace(row, lifetime_ns=2 * S, states_ns=replace(row.states_ns, wait=waits))
    started = replace(one, threads=(replace(young, started_ns=8 * S),), started_ns=8 * S)
    assert "IO172" not in findings(started)


def test_who_has_a_lock_and_sleeps_for_room_in_a_pipe() -> None:
    (one,) = held_lock(True)
    assert "full" not in findings(one)["IO144"].title
    writes = in_call("write", "pipe", "lib/logging/__init__.py:1114 StreamHandler.emit",
                     "app.py:7 handle", *HANDLER, fd=2)  # fmt: skip
    found = findings(replace(one, lines=(line_of(writes, 30, 9 * S, 300 * MS, 702),)))["IO144"]
    assert "sleeps in write to a pipe that is full" in found.title


def _upstream(count: int, each: int, at_once: int) -> Upstream:
    took = Durations(count, each, each, each, each, each)
    return Upstream(_PEER, "tcp", count, at_once, 0, None, took, took, None, 0, {})


@pytest.mark.parametrize(
    ("count", "putting", "told"), [(40, 1, True), (40, 0, False), (20, 1, False)]
)
def test_tasks_that_take_from_a_full_queue_wait_for_a_service(
    count: int, putting: int, told: bool
) -> None:
    """Four at a time, a second each: they are always busy with that, or half of the time."""
    rows = [made_tasks.wait_of(*made_tasks.ASKS[:-1], tasks=4, longest=S)]
    if putting:
        rows.append(made_tasks.wait_of("lib/asyncio/queues.py:120 Queue.put", "work.py:9 feed"))
    one = made_tasks.with_tasks(*rows)
    sockets = OpenSockets(9, (), 0, 0, connected=(Connected(_PEER, 4, 0),))
    rows_of = (descriptor(7, local="10.0.0.7:51007", peer=_PEER),)
    one = replace(one, sockets=sockets, descriptors=rows_of, upstreams=(_upstream(count, S, 4),))
    found = findings(one)
    assert ("IO165" in found and "A queue is full" in found["IO165"].title) is told
    if told:
        assert found["IO165"].evidence["peer"] == _PEER
        assert found["IO165"].lines[0].startswith("srv/app.py:24 quote: 4 asyncio tasks")


def test_greenlets_are_named_by_where_they_connect() -> None:
    one = replace(made_tasks.with_slow_requests(), tasks=None, upstreams=(_upstream(40, S, 4),))
    (served,) = one.requests
    one = replace(one, requests=(replace(served, latency_ns=Durations(40, S, S, S, S, S)),))
    row = descriptor(9, local="10.0.0.7:51009", peer=_PEER)
    connects = in_call("connect", "tcp", "lib/socket.py:836 create_connection", "work.py:12 quote",
                       fd=9)  # fmt: skip
    one = replace(one, descriptors=(*one.descriptors, row), lines=(line_of(connects, 40, 0, 1),))
    assert findings(one)["IO165"].lines == ("work.py:12 quote -> connect",)
    others = replace(one, upstreams=(*one.upstreams, replace(_upstream(1, 1, 1), peer="[::1]:9")))
    elsewhere = replace(connects, fd=3)
    others = replace(others, lines=(line_of(elsewhere, 40, 0, 1),))
    assert findings(others)["IO165"].lines == ()


def test_requests_hang_in_a_loop_that_makes_no_iteration() -> None:
    places = ("work.py:5 index", "lib/site-packages/aiohttp/web_app.py:569 Application._handle")
    one = made_tasks.with_tasks(made_tasks.wait_of(*places))
    still = process([waiting(PID, in_call("epoll_wait", "epoll", "work.py:9 main"), poll=10 * S)])
    found = findings(replace(still, tasks=one.tasks, sockets=one.sockets))["IO185"]
    assert "7 asyncio tasks wait for a future at work.py:5 index that nobody has set" in found.title


def test_an_answer_of_aiohttp_is_waited_for_in_a_function_of_streams() -> None:
    from iotrace.verdict.purpose import Purpose
    from iotrace.verdict.waiting_tasks import purpose_of_task

    begins = "lib/site-packages/aiohttp/client_reqrep.py:1059 ClientResponse.start"
    reads = "lib/site-packages/aiohttp/streams.py:671 DataQueue.read"
    client = "lib/site-packages/aiohttp/client.py:730 ClientSession._request"
    assert purpose_of_task(stack(reads, begins, client, "work.py:6 ask")) is Purpose.ANSWER
    assert purpose_of_task(stack(reads, client, "work.py:6 ask")) is Purpose.OTHER


def test_garbage_is_why_threads_wait_for_the_gil() -> None:
    """Of eight seconds of CPU time two are followed by stacks; half of these collect."""
    waits = call("futex", "gil", 1_001, wait=9 * S, errors={"ETIMEDOUT": 997})
    rows = [thread(701, user=8 * S, recv=2 * S), thread(702, gil=9 * S, recv=S)]
    one = process(rows, [replace(waits, tid=702), call("recvfrom", "tcp", 101, tid=701)])
    frames = stack("work.py:6 count")
    for collecting, first in ((300, "IO135"), (100, "IO113")):
        samples = (CpuSample(701, 400, 2 * S, 0, collecting, 0, 0, frames),)
        found = findings(replace(one, cpu_samples=samples))
        assert found["IO135"].evidence["garbage_collection_estimated_ns"] == 20_000_000 * collecting
        assert ("IO113" in {symptom.id for symptom in found["IO135"].symptoms}) is (
            first == "IO135"
        )


@pytest.mark.parametrize(
    ("under_way", "theirs", "told"), [(100, S, True), (30, S, False), (100, S // 2, False)]
)
def test_calls_that_a_limit_lets_through(under_way: int, theirs: int, told: bool) -> None:
    """Ten connections, of which two at a time are asked, all along; so many seconds of requests."""
    took = Durations(20, *(theirs,) * 5, histogram=((theirs, theirs, 20),))
    latency = Durations(20, *(under_way * S // 20,) * 5)
    latency = replace(latency, histogram=((latency.p50, latency.p50, 20),))
    served = Requests("127.0.0.1:8000", 9, 20, 0, None, latency, None, None, None, None)
    rows = [descriptor(fd, local=f"127.0.0.1:{51_000 + fd}", peer=_PEER) for fd in range(8, 18)]
    upstream = Upstream(_PEER, "tcp", 20, 2, 0, None, took, None, None, 0, {})
    one = replace(event_loop(), descriptors=tuple(rows), upstreams=(upstream,), requests=(served,))
    found = findings(one)
    assert ("IO147" in found) is told
    if told:
        assert found["IO147"].title.startswith(f"No more than 2 calls to {_PEER} are made at once")
        assert found["IO147"].evidence["connections"] == 10
        assert found["IO147"].evidence["at_once_max"] == 2


@pytest.mark.parametrize(
    ("failed", "made", "told"), [(50, 0, True), (3, 0, False), (50, 90, False)]
)
def test_connects_that_are_refused_after_they_have_returned(
    failed: int, made: int, told: bool
) -> None:
    connects = call("connect", "tcp", 50, errors={"EINPROGRESS": 50})
    done = Durations(made, MS, MS, MS, MS, MS) if made else None
    nobody = Upstream(_PEER, "tcp", 0, 0, 0, None, None, None, done, failed, {})
    line = line_of(in_call("connect", "tcp", "work.py:12 orders", fd=9), 50, 0, 1)
    one = event_loop()
    one = replace(one, calls=(*one.calls, connects), upstreams=(nobody,), lines=(line,))
    found = findings(one)
    assert ("IO131" in found) is told
    if told:
        assert f"No connection to {_PEER} comes about: 50 attempts" in found["IO131"].title
        assert found["IO131"].lines == ("work.py:12 orders -> connect",)


def test_what_a_coroutine_has_handed_to_a_thread_is_waited_for() -> None:
    """A plain def of FastAPI: nothing else tells that its database was asked."""
    worker = "lib/site-packages/anyio/_backends/_asyncio.py:962 WorkerThread.run"
    assert "IO140" in findings(_asking(worker, "lib/threading.py:1038 Thread._bootstrap_inner"))
    main = "lib/site-packages/anyio/_backends/_asyncio.py:2100 AsyncIOBackend.run"
    assert "IO140" not in findings(_asking(main, "work.py:9 main"))


def test_consumers_that_await_what_nobody_sets() -> None:
    hangs = made_tasks.wait_of("work.py:5 settle", "work.py:12 consume")
    puts = made_tasks.wait_of("lib/asyncio/queues.py:120 Queue.put", "work.py:9 feed")
    found = findings(made_tasks.with_tasks(hangs, puts))["IO160"]
    (told,) = [one for one in found.symptoms if one.id == "IO185"]
    assert told.title.startswith(
        "What takes from a full queue hangs, most likely: 7 asyncio tasks "
    )
    assert "IO185" not in findings(made_tasks.with_tasks(hangs))


@pytest.mark.parametrize(("longest", "severity"), [(9 * S, "high"), (2 * S, "low")])
def test_a_queue_that_never_has_room_is_grave_whoever_is_served(
    longest: int, severity: str
) -> None:
    puts = made_tasks.wait_of(
        "lib/asyncio/queues.py:120 Queue.put", "work.py:9 feed", longest=longest
    )
    one = made_tasks.with_tasks(puts)
    assert one.sockets is not None
    alone = replace(one, sockets=replace(one.sockets, listening=()), requests=())
    assert findings(alone)["IO160"].severity == severity


@pytest.mark.parametrize(("served", "told"), [(200, True), (3, False)])
def test_a_thread_for_each_connection_imports_a_little(served: int, told: bool) -> None:
    took = Durations(served, *(50 * MS,) * 5)
    row = Requests("127.0.0.1:8000", 9, served, 0, None, took, None, None, None, None)
    threads = [replace(thread(tid, user=40 * MS), syscalls=2_000) for tid in range(701, 751)]
    looks = [call("newfstatat", "", 900, tid=one.tid) for one in threads]
    samples = tuple(CpuSample(one.tid, 6, 30 * MS, 0, 0, 0, 2, _IMPORTS) for one in threads)
    one = replace(process(threads, looks), requests=(row,), cpu_samples=samples)
    found = findings(one)
    assert ("IO172" in found and found["IO172"].title.startswith("Imports modules")) is told


def test_imports_within_imports_whose_modules_are_gone_are_imports() -> None:
    """As of a module that is imported in each request, and imports others; the code of most is
    gone once it ran, and the stack too deep to show for whom."""
    gone = Frame("?", "?", None)
    (one,) = polls_files(True)
    nested = (gone, *_IMPORTS[:2])
    rows = (
        CpuSample(PID, 100, S, 0, 0, 0, 0, nested * 6),
        CpuSample(PID, 50, S, 0, 0, 0, 5, (*nested, *_IMPORTS)),
    )
    found = findings(replace(one, cpu_samples=rows))["IO172"]
    assert found.title.startswith("Imports modules again and again")
    assert found.lines == ("work.py:8 index -> import",)


def test_an_import_in_a_handler_is_told_there_though_the_server_was_imported_too() -> None:
    (one,) = polls_files(True)
    module = Frame("<module>", "/srv/orders.py", 3)
    started = (_IMPORTS[1], Frame("<module>", "/srv/wsgi.py", 1))
    sampled = _sampled(one, (*_IMPORTS[:2], module, *_IMPORTS[1:], *started))
    assert findings(sampled)["IO172"].lines == ("work.py:8 index -> import",)

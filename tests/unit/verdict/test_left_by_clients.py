"""Clients that have gone, event streams, and threads that are greenlets."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import LeftByClients, OpenSockets, Process, Stalls, Upstream
from iotrace.report.requests import Requests, RequestTier
from iotrace.report.stacks import CpuSample, Frame
from iotrace.report.times import Durations
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.verdict.elsewhere import one_peer
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    event_loop,
    findings,
    in_call,
    loop,
    process,
    thread,
)

_LEFT = LeftByClients(120, 124, 1, "10.0.0.7", 3 * S)
_HANDLER = (
    "srv/app.py:20 parts",
    "lib/site-packages/werkzeug/serving.py:330 WSGIRequestHandler.run_wsgi",
)


def _with(left: LeftByClients | None, one: Process) -> Process:
    return replace(one, sockets=OpenSockets(130, ("127.0.0.1:8000",), 0, 0, left=left))


def test_connections_that_clients_have_left_are_a_leak() -> None:
    found = findings(_with(_LEFT, event_loop()))["IO161"]
    assert found.severity == "medium"
    assert found.title == (
        "Sockets of clients that have gone are not closed: 120 connections from 10.0.0.7 were "
        "closed by the client and not here (CLOSE_WAIT), typically 3 s ago"
    )
    assert "has a time limit (a long poll)" in found.advice
    many = findings(_with(replace(_LEFT, clients=31), event_loop()))["IO161"]
    assert "120 connections from 31 addresses" in many.title


def test_connections_on_their_way_out_are_no_leak() -> None:
    for left in (
        replace(_LEFT, typical_ns=900 * MS),
        replace(_LEFT, typical_ns=None),
        replace(_LEFT, connections=19),
        None,
    ):
        assert "IO161" not in findings(_with(left, event_loop()))


def _streams(*, threads: int, slept_before_ns: int = 0, owed: int = 0) -> Process:
    """Threads that sleep between the parts of their answers."""
    tids = range(PID + 1, PID + 1 + threads)
    sleeps = in_call("clock_nanosleep", "", *_HANDLER, wait=9 * S)
    rows = [replace(thread(tid, user=S, sleep=9 * S), in_call=sleeps) for tid in tids]
    calls = [
        call(name, kind, count, tid=tid, wait=wait)
        for tid in tids
        for name, kind, count, wait in (
            ("recvfrom", "tcp", 2, 0),
            ("sendto", "tcp", 18, 0),
            ("clock_nanosleep", "", 900, 9 * S),
        )
    ]
    times = Durations(threads, MS, MS, MS, MS, MS)
    service = {"user": 2 * MS, "sleep": slept_before_ns}
    tier = RequestTier(0, S, threads, sum(service.values()), 0, {}, service)
    row = Requests(
        "127.0.0.1:8000", threads, threads, owed, None, times, None, None, times, None, (tier,)
    )
    one = process(rows, calls)
    return _with(None, replace(one, requests=(row,)))


def test_sleeps_between_the_parts_of_an_answer_keep_no_request_waiting() -> None:
    found = findings(_streams(threads=30))["IO117"]
    assert found.severity == "low"
    assert "hardly while a request waits for its answer" in found.title
    assert findings(_streams(threads=30, slept_before_ns=200 * S))["IO117"].severity == "high"
    assert findings(_streams(threads=30, owed=9))["IO117"].severity == "high"
    one = _streams(threads=30)
    untold = replace(one, requests=(replace(one.requests[0], tiers=()),))
    assert findings(untold)["IO117"].severity == "high"


def test_threads_that_go_on_for_clients_that_have_gone_follow_from_that() -> None:
    found = findings(_with(replace(_LEFT, connections=40), _streams(threads=30)))
    assert found["IO161"].title.endswith(
        "while 30 threads go on for clients at srv/app.py:20 parts"
    )
    assert "IO117" in {one.id for one in found["IO161"].symptoms}
    few = findings(_with(_LEFT, _streams(threads=30)))
    assert "threads" not in few["IO161"].evidence
    assert few["IO161"].symptoms == ()


def test_what_a_patched_thread_computes_stops_the_loop() -> None:
    frames = (
        Frame("thumbnails", "/srv/app.py", 14),
        Frame("_worker", "/usr/lib/python3.11/concurrent/futures/thread.py", 83),
        Frame("Thread._bootstrap", "/usr/lib/python3.11/threading.py", 995),
    )
    rows = (CpuSample(PID, 900, 9 * S, 0, 0, 0, 0, frames),)
    stalls = Stalls(9, 9 * S, 9 * S, 0, dict.fromkeys(WAIT_REASONS, 0), None)
    one = replace(event_loop(stalls=stalls, busy=S), threads=(thread(user=9 * S, poll=S),))
    seen = replace(one, cpu_samples=rows, cmdline=("gunicorn", "-k", "gevent"))
    advice = findings(seen)["IO103"].advice
    assert "is a greenlet of the loop's own thread" in advice
    assert "gevent.sleep(0)" in advice
    loops = replace(rows[0], stack=frames[:1])
    assert "greenlet" not in findings(replace(seen, cpu_samples=(loops,)))["IO103"].advice


def test_a_loop_that_never_sleeps_is_told_as_one() -> None:
    one = replace(event_loop(), threads=(thread(user=10 * S),), loops=(loop(iterations=2, wait=0),))
    one = replace(one, calls=(call("epoll_wait", "level", 2), call("sendto", "tcp", 2)))
    found = findings(one)["IO133"]
    assert found.title.startswith("An event loop's thread never sleeps")
    assert found.severity == "medium"
    owed = replace(_streams(threads=1).requests[0], unanswered=2, oldest_unanswered_ns=4 * S)
    late = replace(one, requests=(owed,))
    assert findings(late)["IO133"].severity == "high"
    warns = Frame("_warn_unawaited_coroutine", "/usr/lib/python3.11/warnings.py", 537)
    spins = Frame("wait_for_export", "/srv/app.py", 13)
    row = CpuSample(PID, 900, 9 * S, 0, 0, 0, 1, (warns, spins))
    assert "without an await" in findings(replace(late, cpu_samples=(row,)))["IO133"].advice
    once = replace(row, samples=9, cpu_ns=90 * MS), replace(row, stack=(spins,))
    assert "without an await" not in findings(replace(late, cpu_samples=once))["IO133"].advice


def test_calls_that_are_never_made_at_once_are_told_so() -> None:
    (one,) = one_peer(True)
    waits = descriptor(8, local="127.0.0.1:51000", peer="10.0.0.9:5432", wait=9 * S)
    asked = Upstream("10.0.0.9:5432", "tcp", 60, 1, 0, None, None, None, None, 0, {})
    served = replace(_streams(threads=6).requests[0], connections=6)
    threads = (*one.threads, thread(701, recv=10 * S), thread(702, recv=10 * S))
    one = replace(
        one,
        threads=threads,
        calls=(*one.calls, *(call("recvfrom", "tcp", 99, tid=tid) for tid in (701, 702))),
        descriptors=(*one.descriptors[:-1], waits),
        upstreams=(asked,),
        requests=(served,),
    )
    assert "one thing at a time" in str(findings(one))
    several = replace(one, upstreams=(replace(asked, in_flight_max=2),))
    assert "one thing at a time" not in str(findings(several))


_LOCK = (
    "lib/site-packages/flask/app.py:1812 Flask.full_dispatch_request",
    "lib/site-packages/gunicorn/workers/base_async.py:108 AsyncWorker.handle_request",
    "lib/site-packages/gevent/baseserver.py:34 _handle_and_close_when_done",
)


def test_a_real_lock_that_another_greenlet_has_is_a_deadlock() -> None:
    waits = in_call("futex", "", *_LOCK, wait=10 * S)
    rows = [replace(thread(lock=10 * S), in_call=waits)]
    calls = [call("futex", "", 0, wait=10 * S)]
    found = findings(process(rows, calls))["IO141"]
    assert "most likely another greenlet of the same thread" in found.title
    assert "patch" in found.advice
    queue = "lib/site-packages/waitress/task.py:84 ThreadedTaskDispatcher.handler_thread"
    idle = in_call("futex", "", queue, wait=10 * S)
    assert "IO141" not in findings(process([replace(rows[0], in_call=idle)], calls))


def test_imports_in_a_callback_are_told_as_such() -> None:
    stalls = Stalls(9, 9 * S, 9 * S, 0, dict.fromkeys(WAIT_REASONS, 0), None)
    one = replace(event_loop(stalls=stalls, busy=S), threads=(thread(user=9 * S, poll=S),))
    loads = Frame("_compile_bytecode", "<frozen importlib._bootstrap_external>", 729)
    sets_up = Frame("set_up", "/srv/hub.py", 15)
    runs = Frame("BaseEventLoop._run_once", "/usr/lib/python3.11/asyncio/base_events.py", 1922)
    gone = Frame("?", "?", None)
    row = CpuSample(PID, 400, 4 * S, 0, 0, 0, 1, (loads, sets_up, runs))
    deep = CpuSample(PID, 500, 5 * S, 0, 0, 0, 0, (gone, loads))
    found = findings(replace(one, cpu_samples=(deep, row)))["IO103"]
    assert "it imports modules" in found.title
    assert "to_thread" in found.advice
    assert "hub.py:15 set_up" in found.lines[0]
    # A program that is run by an import.
    main = CpuSample(PID, 900, 9 * S, 0, 0, 0, 0, (sets_up, runs, loads))
    assert "imports" not in findings(replace(one, cpu_samples=(main,)))["IO103"].title

"""Slow requests whose asyncio tasks are suspended in the program itself; servers that are full."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Process
from iotrace.report.requests import Requests
from tests.unit.verdict import hangs
from tests.unit.verdict.made import MS, S, findings, in_call, judged, process, thread
from tests.unit.verdict.made_tasks import (
    ASKS,
    CONSUMER,
    SLEEPS,
    wait_of,
    with_slow_requests,
    with_tasks,
)

_FRAMEWORK = "lib/site-packages/starlette/routing.py:76 app"
_AIOSQLITE = "lib/site-packages/aiosqlite/core.py:132 Connection._execute"
_CHILD = (
    "lib/asyncio/base_subprocess.py:230 BaseSubprocessTransport._wait",
    "lib/asyncio/subprocess.py:134 Process.wait",
    "app.py:19 convert",
    _FRAMEWORK,
)
_FUTURE = ("app.py:19 infer", _FRAMEWORK)
_QUERY = (_AIOSQLITE, "app.py:23 ask", _FRAMEWORK)
_NEWS = ("lib/asyncio/locks.py:260 Condition.wait", "app.py:12 poll", _FRAMEWORK)
_TIMED = ("lib/asyncio/tasks.py:507 wait_for", "app.py:12 poll", _FRAMEWORK)


def _title(*rows: Process) -> str:
    return findings(*rows)["IO185"].title


def test_where_they_sleep_is_named_with_the_library() -> None:
    one = with_slow_requests(wait_of(*SLEEPS, tasks=4, longest=0))
    assert _title(one) == (
        "Slow requests sleep: asyncio.sleep at srv/app.py:22 thumbnail, in poll (arq/utils.py): 40 "
        "of 80 took 1 s on average, 99.9 % of it there"
    )


def test_a_child_process_is_named() -> None:
    one = with_slow_requests(wait_of(*_CHILD, tasks=4, longest=0))
    child = replace(process([thread(701, user=S)], pid=701, parent=one.pid), name="gzip")
    assert "wait for a child process (gzip) at srv/app.py:19 convert" in _title(one, child)


def test_who_has_inherited_a_childs_output_is_named() -> None:
    reads = ("lib/asyncio/subprocess.py:195 Process.communicate", "app.py:14 execute", _FRAMEWORK)
    for chain, kept, severity in ((reads, "902 tail", "high"), (_CHILD, "", "medium")):
        one = with_tasks(wait_of(*chain, tasks=1))
        assert one.tasks is not None
        one = replace(one, tasks=replace(one.tasks, inherited_by=("902 tail",)))
        found = findings(one)["IO185"]
        assert (found.severity, found.evidence.get("pipe_is_open_in", "")) == (severity, kept)
        assert ("the end of a child's output" in found.title) is bool(kept)
    assert "a child process" in _title(with_tasks(wait_of(*reads, tasks=1)))


def test_the_one_thread_that_does_all_calls_is_named() -> None:
    one = with_slow_requests(wait_of(*_QUERY, tasks=4, longest=0))
    worker = thread(702, user=9 * S, lock=S)
    assert "for thread 702, which is always at work" in _title(
        replace(one, threads=(*one.threads, worker))
    )
    idle = thread(702, user=S, lock=9 * S)
    assert "thread" not in _title(replace(one, threads=(*one.threads, idle)))


@pytest.mark.parametrize("places", [_NEWS, CONSUMER])
def test_long_polls_are_no_finding(places: tuple[str, ...]) -> None:
    assert "IO185" not in findings(with_slow_requests(wait_of(*places, tasks=4, longest=0)))


@pytest.mark.parametrize(
    ("tasks", "slow", "found"),
    [
        (4, 40, True),  # 40 s of requests in ten seconds are 4 at a time
        (1, 40, False),  # the others are elsewhere
        (4, 2, False),  # two may have been the first ones
    ],
)
def test_as_many_tasks_as_requests_are_under_way(tasks: int, slow: int, found: bool) -> None:
    one = with_slow_requests(wait_of(*SLEEPS, tasks=tasks, longest=0), slow=slow)
    assert ("IO185" in findings(one)) is found


def test_tasks_of_quick_requests_are_not_those_of_slow_ones() -> None:
    one = with_slow_requests(wait_of(*SLEEPS, tasks=4, longest=0), slow=20)
    (row,) = one.requests
    quick = replace(row.tiers[0], count=300, latency_ns=30 * S)  # 3 of 5 at a time
    assert "IO185" in findings(one)
    busy = replace(one, requests=(replace(row, tiers=(quick, row.tiers[1])),))
    assert "IO185" in findings(busy)
    quick = replace(quick, count=400, latency_ns=40 * S)
    assert "IO185" not in findings(
        replace(busy, requests=(replace(row, tiers=(quick, row.tiers[1])),))
    )


def test_a_timer_alone_serves_nobody() -> None:
    """No framework tells which tasks serve: one that sleeps all the time may be a timer."""
    ticks = wait_of(SLEEPS[0], "app.py:40 tick", tasks=1, longest=0)
    assert "IO185" not in findings(with_slow_requests(ticks, slow=10))
    serving = wait_of(SLEEPS[0], "app.py:9 serve", tasks=4, longest=0)
    assert "at srv/app.py:9 serve" in _title(with_slow_requests(serving))


@pytest.mark.parametrize(("places", "found"), [(_FUTURE, True), (_TIMED, False), (_QUERY, False)])
def test_a_future_that_nobody_sets(places: tuple[str, ...], found: bool) -> None:
    one = with_tasks(wait_of(*places, tasks=4))
    assert ("IO185" in findings(one)) is found
    if found:
        assert _title(one) == (
            "Requests hang: 4 asyncio tasks wait for a future at srv/app.py:19 infer that nobody "
            "has set in 9 s and more"
        )
        assert findings(one)["IO185"].severity == "medium"
        assert "IO185" not in findings(with_tasks(wait_of(*places, tasks=4, longest=4 * S)))


def test_what_another_finding_tells_is_its_symptom() -> None:
    one = with_slow_requests(wait_of(*ASKS, tasks=4, longest=9 * S))
    found = findings(one)
    assert "IO185" in [symptom.id for symptom in found["IO165"].symptoms]


def test_who_accepts_nobody_is_idle_and_has_served() -> None:
    (one,) = hangs.accept_paused(True)
    assert findings(one)["IO186"].title == (
        "The server accepts nobody, though it is idle: 6 newcomers wait in the accept queue while "
        "it has 8 connections open, most likely as many as it may have"
    )
    assert "IO186" not in findings(replace(one, descriptors=()))
    busy = thread(user=9 * S, poll=S)
    computes = replace(one.loops[0], wait_ns=S)
    assert "IO186" not in findings(replace(one, threads=(busy,), loops=(computes,)))


def test_who_has_requests_in_hand_is_not_idle() -> None:
    (one,) = hangs.accept_paused(True)
    asks = in_call(
        "recvfrom", "tcp", "app.py:9 ask", *hangs.HANDLER, peer="10.0.0.9:443", fd=5, since=9 * S
    )
    at_work = replace(one, threads=(*one.threads, hangs.waiting(703, asks, recv=10 * S)))
    found = findings(at_work)
    assert found["IO186"].title == (
        "The server accepts nobody: 6 newcomers wait in the accept queue while it has 8 "
        "connections open and 1 request in hand; most likely it may have no more, or it is to end "
        "when these are done"
    )
    assert found["IO140"].symptoms == ()
    row = Requests("127.0.0.1:8000", 9, 0, 7, 9 * S, None, None, None, None, None)
    stuck = findings(replace(at_work, requests=(row,)))["IO140"]
    assert "IO186" in [symptom.id for symptom in stuck.symptoms]


def test_a_master_leaves_that_to_its_workers() -> None:
    (one,) = hangs.accept_paused(True)
    worker = replace(one, pid=701, parent=one.pid, threads=(thread(701, user=10 * S),), loops=())
    assert "IO186" not in findings(one, worker)


def test_a_loop_that_waits_for_itself() -> None:
    waits = in_call(
        "futex", "", "lib/threading.py:327 Condition.wait",
        "lib/concurrent/futures/_base.py:451 Future.result", "app.py:18 publish",
        "lib/asyncio/events.py:84 Handle._run",
        "lib/asyncio/base_events.py:1936 BaseEventLoop._run_once",
    )  # fmt: skip
    found = findings(process([hangs.waiting(700, waits)]))["IO140"]
    assert "its event loop's own thread" in found.title


def test_an_executor_that_was_left_behind_by_a_fork() -> None:
    waits = in_call(
        "futex", "", "lib/threading.py:327 Condition.wait",
        "lib/concurrent/futures/_base.py:451 Future.result", "app.py:18 report", *hangs.WORKER,
    )  # fmt: skip
    worker = process([hangs.waiting(701, waits)], pid=701, parent=700)
    alone = process([thread(sleep=10 * S)])
    assert "fork" not in findings(alone, worker)["IO140"].title
    master = process([thread(sleep=10 * S), hangs.idle(702), hangs.idle(703)])
    found = findings(master, worker)["IO140"]
    assert "forked (preload?) from process 700, where 2 threads of an executor" in found.title


def test_the_outcome_names_where_long_polls_wait() -> None:
    one = with_slow_requests(wait_of(*_NEWS, tasks=4, longest=MS))
    assert "srv/app.py:12 poll" in judged(one).processes[0].outcome


def _view(*inner: str, timed: bool | None = False) -> Process:
    places = (*inner, "app.py:16 index", "lib/site-packages/flask/app.py:902 dispatch_request")
    waits = replace(in_call("futex", "", *places, *hangs.WORKER), timed=timed)
    return process([hangs.waiting(701, waits), thread(user=S, poll=9 * S)])


_EVENT = ("lib/threading.py:320 Condition.wait", "lib/threading.py:629 Event.wait")
_TAKES = ("lib/threading.py:320 Condition.wait", "lib/queue.py:171 Queue.get")


@pytest.mark.parametrize("inner", [_EVENT, _TAKES])
def test_a_view_that_waits_without_a_time_out_for_another_thread(inner: tuple[str, ...]) -> None:
    found = findings(_view(*inner))["IO140"]
    assert "hangs in a request, waiting for" in found.title
    assert found.lines[0].startswith("srv/app.py:16 index")
    for timed in (True, None):  # a long poll, which gives up; or nothing tells
        assert "IO140" not in findings(_view(*inner, timed=timed))


def test_an_answer_that_comes_bit_by_bit_may_take_any_time() -> None:
    events = (*_TAKES, "app.py:20 events", "lib/site-packages/werkzeug/wsgi.py:365 __next__")
    waits = replace(in_call("futex", "", *events, *hangs.WORKER), timed=False)
    assert "IO140" not in findings(process([hangs.waiting(701, waits), thread(poll=10 * S)]))


def test_a_queue_in_an_event_loops_own_thread() -> None:
    loop = ("lib/asyncio/events.py:84 Handle._run", "lib/asyncio/runners.py:118 run")
    waits = in_call("futex", "", *_TAKES, "app.py:7 index", *loop, "app.py:30 <module>")
    found = findings(process([hangs.waiting(700, waits)]))["IO140"]
    assert "its event loop's own thread, waiting for Queue.get (queue.py)" in found.title
    idle = in_call("futex", "", *_TAKES, "app.py:7 consume", "app.py:30 <module>")
    assert "IO140" not in findings(process([hangs.waiting(700, idle)]))


def test_the_thread_that_requests_wait_for_is_named() -> None:
    found = findings(*hangs.handed_over(True))["IO187"]
    assert found.title == (
        "Slow requests wait for another thread: 20 of 20 took 1 s on average, 100 % of it at "
        "srv/app.py:16 index in Event.wait (threading.py), until thread 702 wakes them at "
        "srv/app.py:9 work"
    )
    assert found.lines[1].startswith("srv/app.py:8 work -> recvfrom")

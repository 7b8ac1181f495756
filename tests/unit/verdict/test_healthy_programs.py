"""Healthy programs of kinds that were told a fault once: each with the twin that has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import OpenSockets, Process
from iotrace.report.requests import SlowRequest
from iotrace.report.stacks import CpuSample
from iotrace.report.times import Durations
from iotrace.verdict.findings import _order
from tests.found import by_rule
from tests.unit.verdict import elsewhere, hangs
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    blocking,
    call,
    descriptor,
    findings,
    in_call,
    judged,
    line_of,
    process,
    stack,
    thread,
)
from tests.unit.verdict.made_tasks import wait_of
from tests.unit.verdict.test_awaited import _slow
from tests.unit.verdict.test_elsewhere import _script


@pytest.mark.parametrize(
    ("worker", "takes"),
    [
        (
            ("billiard/pool.py:357 Worker.workloop",),
            "billiard/queues.py:360 _SimpleQueue.get_payload",
        ),
        (("multiprocessing/pool.py:114 worker",), "multiprocessing/queues.py:367 SimpleQueue.get"),
        (
            ("concurrent/futures/process.py:237 _process_worker",),
            "multiprocessing/queues.py:103 Queue.get",
        ),
    ],
)
def test_a_worker_of_a_pool_that_waits_for_jobs_as_well_keeps_up(
    worker: tuple[str, ...], takes: str
) -> None:
    """What it asks is told as where its jobs' time goes: its pool has room."""
    outer = [f"lib/{one}" for one in worker]
    asking = in_call("recvfrom", "tcp", "lib/socket.py:706 recv", "tasks.py:9 job", *outer, fd=8)
    recv = "lib/multiprocessing/connection.py:425 Connection._recv"
    idle = in_call("read", "pipe", recv, f"lib/{takes}", *outer, fd=5)
    slow = Durations(32, 200 * MS, 200 * MS, 200 * MS, 200 * MS, 200 * MS)
    for waited, told in ((3 * S, False), (S, True)):
        lines = (line_of(asking, 32, 6 * S, S), line_of(idle, 30, waited, S))
        assert ("IO119" in by_rule(judged(_script(slow, lines=lines)).findings)) is told


def test_late_answers_at_a_line_without_quick_ones_may_be_of_another_kind() -> None:
    (server,) = elsewhere.tail(True)
    (slow,) = server.lines
    assert slow.latency_ns is not None
    rows = tuple(replace(one, calls=1_200) for one in server.descriptors)
    late = ((268 * MS, 403 * MS, 12),)
    few = (2 * MS, 3 * MS, 4)  # BEGIN, before what is asked at the same line
    other = stack("app.py:41 index")
    for buckets, longest, elsewhere_quick, grave in (
        (((2 * MS, 3 * MS, 40), *late), 402, 90, True),
        ((few, *late), 402, 90, False),
        ((few, *late), 900, 90, True),  # each as long as it happens to be locked
        (late, 402, 9, True),
        (late, 402, 0, True),  # the quick ones take less than 1 ms, and are at no line
    ):
        times = replace(slow.latency_ns, histogram=buckets)
        quick = replace(slow.latency_ns, histogram=((MS, 2 * MS, elsewhere_quick),))
        lines = (
            replace(slow, latency_ns=times, max_ns=longest * MS),
            replace(slow, latency_ns=quick, max_ns=2 * MS, stack=other, own=0),
        )
        found = findings(replace(server, lines=lines, descriptors=rows))["IO150"]
        assert (found.severity != "low") is grave
        assert ("may always take long" in found.title) is not grave
        assert ("by nature" in found.advice) is (buckets[0] != (2 * MS, 3 * MS, 40))


@pytest.mark.parametrize(
    ("caller", "told"),
    [("lib/site-packages/celery/apps/beat.py:79 run", False), ("app.py:3 f", True)],
)
def test_a_library_may_have_a_clock_of_its_own(caller: str, *, told: bool) -> None:
    """celery's beat sleeps until the next job is due: nobody waits for it."""
    one = blocking(wait=4 * S, sleep=5 * S)
    ticks = "lib/site-packages/celery/beat.py:1069 Service.start"
    sleeps = call("clock_nanosleep", "", 503, wait=5 * S)
    calls = tuple(row for row in one.calls if row.syscall != "accept4")
    rows = (descriptor(8, local="10.0.0.7:51000", peer="10.0.0.9:6379"),)
    lines = (line_of(in_call("clock_nanosleep", "", ticks, caller), 503, 5 * S, S),)
    beat = replace(
        one, calls=(*calls, sleeps), descriptors=rows, sockets=OpenSockets(1), lines=lines
    )
    found = judged(beat)
    assert ("IO117" in by_rule(found.findings)) is told
    assert "which serves" not in found.processes[0].outcome


def test_a_batch_keeps_all_threads_of_its_own_pool_busy() -> None:
    """It serves nobody and waits for the pool's results: that is its pace, and no fault."""
    (one,) = hangs.full_pool(True)
    asks = (descriptor(8, local="10.0.0.7:51000", peer="10.0.0.9:443"),)
    futures = "lib/concurrent/futures/_base.py:451 Future.result"
    waits = in_call("futex", "", futures, "job.py:9 main", since=9 * S)
    fetches = in_call("futex", "", "lib/queue.py:171 Queue.get", "job.py:9 main", since=9 * S)
    for main, batch in ((waits, True), (fetches, False)):
        changed = replace(
            one,
            threads=(hangs.waiting(PID, main, lock=10 * S), *one.threads),
            descriptors=asks,
            calls=tuple(row for row in one.calls if row.syscall != "accept4"),
            lines=(*one.lines, line_of(main, 99, 9 * S, S, tid=PID)),
            sockets=OpenSockets(1),
            requests=(),
        )
        found = findings(changed)["IO142"]
        assert (found.severity == "low") is batch
        # confluent_kafka's consume() is in C; what kafka-python polls is there already.
        broker = (*asks, descriptor(9, local="10.0.0.7:51001", peer="10.0.0.9:9092"))
        polls = "lib/site-packages/kafka/consumer/group.py:700 KafkaConsumer.poll"
        sample = CpuSample(PID, 9, 9 * MS, 0, 0, 0, 1, stack(polls, "job.py:8 main"))
        for consumer in (
            replace(changed, descriptors=broker),
            replace(changed, cpu_samples=(sample,)),
        ):
            assert findings(consumer)["IO142"].severity == "high"
    full = findings(one)["IO142"]
    assert full.severity == "high"
    graver = replace(full, id="IO213", severity="medium")
    assert _order(graver, ()) < _order(replace(full, severity="low"), ())


def test_messages_of_a_librarys_own_protocol_are_no_requests() -> None:
    """distributed: a scheduler and its workers send each other what they like, when they like."""
    one = _slow(850 * MS, 600 * MS)
    assert one.tasks is not None
    reads = wait_of(
        "lib/site-packages/distributed/comm/tcp.py:225 TCP.read",
        "lib/site-packages/distributed/core.py:889 Server.handle_stream",
    )
    library = replace(one, tasks=replace(one.tasks, rows=(reads,)))
    assert "IO165" in findings(one)
    assert "IO165" not in findings(library)
    installed = wait_of(  # an application that pip has installed
        "lib/site-packages/httpx/_client.py:1530 AsyncClient.request",
        "lib/site-packages/shop/api.py:24 quote",
        "lib/site-packages/starlette/routing.py:76 app",
        "lib/site-packages/uvicorn/protocols/http/h11_impl.py:403 RequestResponseCycle.run_asgi",
    )
    assert "IO165" in findings(replace(one, tasks=replace(one.tasks, rows=(installed,))))


@pytest.mark.parametrize(
    ("computes", "waits", "grave"), [(S, 5_000, False), (4 * S, 5_000, True), (S, 800, True)]
)
def test_many_threads_that_are_woken_at_a_time_soon_have_their_turn(
    computes: int, waits: int, *, grave: bool
) -> None:
    """News for all clients of a chat, each with a thread: the sum of their waits is large."""
    one = blocking(wait=10 * S - computes, user=computes)
    rows = call("futex", "gil", waits, wait=2 * S)
    found = findings(replace(one, calls=(*one.calls, rows)))["IO113"]
    assert (found.severity == "high") is grave


@pytest.mark.parametrize(
    ("started", "pending", "told"), [(S, 0, False), (S, 4, True), (0, 0, True)]
)
def test_a_worker_that_was_just_started_finds_those_that_came_meanwhile(
    started: int, pending: int, *, told: bool
) -> None:
    """After a SIGHUP to gunicorn's master: nobody waits any more."""
    (one,) = hangs.accept_queue(True)
    assert one.sockets is not None
    master = process([thread(701, poll=10 * S)], pid=701)
    rows = tuple(
        replace(row, states_ns=thread(row.tid, poll=8 * S, user=2 * S).states_ns)
        for row in one.threads
    )
    sockets = replace(one.sockets, pending=pending)
    worker = replace(one, parent=701, started_ns=started, threads=rows, sockets=sockets)
    assert ("IO171" in findings(master, _queued_at(worker, S + 100 * MS))) is told


def _queued_at(worker: Process, *arrived: int, **times: int) -> Process:
    """Its requests that waited 2 s in the accept queue, by when they came."""
    (row,) = worker.requests
    assert row.queue_ns
    slow = tuple(SlowRequest(at, 4 * S, 2 * S, {}, {}, "10.0.0.7:4100", PID) for at in arrived)
    queue = replace(row.queue_ns, histogram=((2 * S, 3 * S, times.pop("waited", len(slow))),))
    return replace(worker, requests=(replace(row, exemplars=slow, queue_ns=queue),), **times)


def test_a_burst_after_a_worker_has_begun_is_no_start() -> None:
    """gunicorn's max_requests: every worker was started in the trace."""
    (one,) = hangs.accept_queue(True)
    assert one.sockets is not None
    master = process([thread(701, poll=10 * S)], pid=701)
    states = thread(poll=8 * S, user=2 * S).states_ns
    rows = tuple(replace(row, states_ns=states) for row in one.threads)
    sockets = replace(one.sockets, pending=0)
    worker = replace(one, parent=701, started_ns=S, threads=rows, sockets=sockets)
    before = replace(worker, pid=702, ended_ns=6 * S)
    late = _queued_at(worker, S, 6 * S)
    assert "IO171" in findings(master, late)
    assert "IO171" in findings(master, worker)  # not dated
    more = _queued_at(worker, S, S + 50 * MS, waited=20)
    assert "IO171" not in findings(master, more)
    assert "IO171" in findings(master, more, replace(before, requests=()))

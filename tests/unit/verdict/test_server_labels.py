"""The labels of servers of several threads, loops or processes: who takes what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import OpenSockets, Process, Stalls
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    findings,
    in_call,
    listener,
    loop,
    model_of,
    process,
    thread,
)


def _label(*processes: Process, pid: int = PID) -> tuple[str, str]:
    model = model_of(*processes, pid=pid)
    return model.id, model.shape


def _loops(accepts: int, connections: int, *, lock: int = 0, pickup: int = MS) -> Process:
    """Four threads with a loop each, over two descriptors."""
    tids = (701, 702, 703, 704)
    return process(
        [thread(tid, user=300 * MS, poll=9_700 * MS - lock, lock=lock) for tid in tids],
        [
            *(call("recvfrom", "tcp", 503, tid=tid) for tid in tids),
            *(call("accept4", "tcp", accepts, tid=tid) for tid in tids if accepts),
        ],
        [loop("epoll_wait", 503, tid=tid, watched=2, stalls=_LOCKED) for tid in tids],
        [descriptor(fd, pickup=(97, MS, pickup, pickup)) for fd in range(7, 7 + connections)],
    )


_LOCKED = Stalls(7, 700 * MS, MS, MS, {"lock": 698 * MS}, None)


def test_a_loop_for_each_connection_is_a_thread_for_each() -> None:
    assert _label(_loops(0, 4)) == ("epoll", "thread per connection")
    assert _label(_loops(0, 5)) == ("epoll", "event loop")
    assert _label(_loops(101, 4)) == ("epoll", "event loop")


def test_who_serves_one_connection_after_the_other_has_no_event_loop() -> None:
    """uWSGI: epoll tells of new connections alone. What a request waits for stalls no loop."""
    stalls = Stalls(9, 9 * S, MS, MS, {"recv": 9 * S}, None)
    row = loop("epoll_wait", 12, watched=3, data=0, eager=12, stalls=stalls)
    asking = descriptor(9, local="10.0.0.7:51000", peer="10.0.0.9:80", wait=9 * S)

    def made(asks_ns: int = 0, **figures: int) -> Process:
        one = process(
            [thread(recv=asks_ns, poll=10 * S - asks_ns)],
            [call("accept4", "tcp", 12), call("recvfrom", "tcp", 36, wait=asks_ns)],
            [replace(row, **figures)],
            [descriptor(7), asking],
        )
        return replace(one, python="3.11.2")

    model = model_of(made(9 * S))
    assert (model.id, model.title) == ("blocking", "single thread, blocking I/O")
    assert "12 connections accepted, each served before" in model.evidence[0]
    assert list(findings(made(9 * S))) == ["IO119"]
    assert _label(made()) == ("blocking", "single thread")
    assert _label(made(zero_timeout=9)) == ("epoll", "event loop"), "it goes round for its queue"
    assert _label(made(data_iterations=13)) == ("epoll", "event loop"), "told of data"
    assert _label(made(watched=17)) == ("epoll", "event loop"), "of connections, too"
    hub = in_call("epoll_wait", "", "lib/site-packages/gevent/hub.py:647 Hub.run")
    one = made()
    greenlets = replace(one, threads=(replace(one.threads[0], in_call=hub),))
    assert _label(greenlets) == ("epoll", "event loop"), "in Python: a hub of greenlets"


def test_loops_that_take_turns_are_not_stalled() -> None:
    turns = _loops(101, 9, lock=7 * S)
    assert model_of(turns).title.endswith("a thread each, taking turns behind a lock")
    assert findings(turns) == {}
    other = thread(799, poll=200 * S)
    beside = replace(
        turns,
        threads=(*turns.threads, other),
        loops=(*turns.loops, loop("epoll_wait", 503, tid=799, watched=1)),
    )
    assert findings(beside) == {}, "a loop on another set takes no turns with them"
    two = replace(
        turns,
        threads=(thread(701, poll=5 * S, lock=S), thread(702, poll=S, lock=5 * S)),
        loops=tuple(row for row in turns.loops if row.tid in (701, 702)),
    )
    assert findings(two) == {}, "of two that take turns, each sleeps in the lock half of the time"
    late = _loops(101, 9, lock=7 * S, pickup=203 * MS)
    assert model_of(late).title.endswith("a thread each")
    assert "IO103" in findings(late)


def _server_thread(tid: int, **more: int) -> tuple[object, object]:
    return (
        thread(tid, user=30 * MS, recv=970 * MS, started=3 * S, **more),
        call("recvfrom", "tcp", 7, tid=tid, wait=970 * MS),
    )


def test_a_thread_for_each_connection() -> None:
    rows = [_server_thread(tid) for tid in range(701, 712)]
    acceptor = thread(user=30 * MS, accept=9_970 * MS)
    whole = process(
        [acceptor, *(row for row, _ in rows)],  # type: ignore[misc]
        [call("accept4", "tcp", 11, wait=9_970 * MS), *(row for _, row in rows)],  # type: ignore[misc]
    )
    assert _label(whole) == ("blocking", "thread per connection")


@pytest.mark.parametrize(
    ("sockets", "title"),
    [
        (OpenSockets(1, (), 0, 0), "3 threads that ask others, blocking I/O"),
        (listener(), "thread per connection, blocking I/O"),
        (OpenSockets(None), "thread per connection, blocking I/O"),
    ],
)
def test_who_has_no_listener_and_connects_is_a_client(sockets: OpenSockets, title: str) -> None:
    rows = [_server_thread(tid) for tid in (701, 702, 703)]
    asks = [call("connect", "tcp", 7, tid=tid) for tid in (701, 702, 703)]
    process_ = process(
        [thread(lock=10 * S), *(row for row, _ in rows)], [*asks, *(r for _, r in rows)]
    )  # type: ignore[misc]
    assert model_of(replace(process_, sockets=sockets)).title == title


def test_threads_that_have_ended_count_too() -> None:
    whole = process(
        [
            thread(user=30 * MS, accept=9_970 * MS),
            thread(0, user=30 * MS, recv=970 * MS, count=97, ended=9 * S),
        ],
        [
            call("accept4", "tcp", 97, wait=9_970 * MS),
            call("recvfrom", "tcp", 194, tid=0, wait=970 * MS),
        ],
    )
    assert _label(whole) == ("blocking", "thread per connection")


def test_the_evidence_counts_the_ended_threads_too() -> None:
    alive, reads = _server_thread(701)
    whole = process(
        [
            thread(user=30 * MS, accept=9_970 * MS),
            thread(0, user=30 * MS, recv=970 * MS, count=97, ended=9 * S),
            alive,  # type: ignore[list-item]
        ],
        [
            call("accept4", "tcp", 98, wait=9_970 * MS),
            call("recvfrom", "tcp", 194, tid=0, wait=970 * MS),
            reads,  # type: ignore[list-item]
        ],
    )
    told = model_of(whole).evidence[0]
    assert told == "98 threads of this kind; those that ended meanwhile, added up:"


def test_a_pool_idles_in_a_lock() -> None:
    workers = [thread(tid, user=30 * MS, lock=9_970 * MS) for tid in (701, 702, 703)]
    whole = process(
        [thread(user=30 * MS, accept=9_970 * MS), *workers],
        [
            call("accept4", "tcp", 97, wait=9_970 * MS),
            *(call("recvfrom", "tcp", 31, tid=tid) for tid in (701, 702, 703)),
        ],
    )
    assert _label(whole) == ("blocking", "thread pool")


def test_a_pool_behind_a_loop_that_reads_nothing() -> None:
    workers = [thread(tid, user=30 * MS, lock=9_970 * MS) for tid in (701, 702)]
    whole = process(
        [thread(user=30 * MS, poll=9_970 * MS), *workers],
        [
            call("accept4", "tcp", 97),
            *(call("recvfrom", "tcp", 300, tid=tid) for tid in (701, 702)),
        ],
        [loop("epoll_wait", 700, data=0, unserved=600)],
    )
    model = model_of(whole)
    assert model.title == "thread pool behind an acceptor on epoll, blocking I/O"


def test_a_loop_with_a_pool() -> None:
    one = event_loop()
    helper = thread(701, user=500 * MS, lock=9_500 * MS)
    assert _label(replace(one, threads=(*one.threads, helper))) == (
        "epoll", "event loop + thread pool",
    )  # fmt: skip


def test_a_mixed_process_is_called_mixed() -> None:
    one = event_loop()
    other = thread(701, user=100 * MS, recv=9_900 * MS)
    reads = call("recvfrom", "tcp", 997, tid=701, wait=9_900 * MS)
    mixed = replace(one, threads=(*one.threads, other), calls=(*one.calls, reads))
    assert model_of(mixed).title.startswith("mixed: event loop on epoll")


def test_workers_are_forked_once_and_accept_themselves() -> None:
    master = process([thread(sleep=10 * S)])
    workers = [replace(blocking(), pid=pid, parent=PID) for pid in (701, 702)]
    assert _label(master, *workers) == ("blocking", "pre-forked workers")
    model = model_of(master, *workers)
    assert model.title == "pre-forked workers (2): single thread, blocking I/O"
    assert model.evidence[0] == (
        "it reads nothing itself; 2 of its processes do; "
        "the one that did most of the I/O, process 701:"
    )
    assert model_of(master, workers[1]).evidence[0] == (
        "it reads nothing itself; one of its processes does; that one, process 702:"
    )
    assert model_of(master, *workers, pid=701).title.startswith("pre-forked worker: ")


def test_a_process_for_each_request() -> None:
    parent = process([thread(accept=9_900 * MS, kernel=100 * MS)], [call("accept4", "tcp", 97)])
    children = process(
        [thread(0, user=97 * MS, recv=97 * MS, count=97, started=MS)],
        [call("recvfrom", "tcp", 194, tid=0)],
        pid=0, parent=PID, count=97, started=MS, ended=9 * S,
    )  # fmt: skip
    assert _label(parent, children) == ("blocking", "process per request")


def test_a_pool_of_processes_is_fed_through_pipes() -> None:
    parent = process([thread(lock=10 * S)], [call("write", "pipe", 997)])
    workers = [
        process(
            [thread(pid, user=S, recv=9 * S)],
            [call("read", "pipe", 997, tid=pid, wait=9 * S)],
            pid=pid, parent=PID,
        )
        for pid in (701, 702)
    ]  # fmt: skip
    assert _label(parent, *workers) == ("blocking", "process pool")


def test_threads_beside_a_loop_that_read_no_request_do_not_serve() -> None:
    """A pool's thread that asks a database; what watches the pipes of a pool of processes."""
    one = event_loop()
    first = replace(one.threads[0], requests=300)
    asking = thread(701, user=500 * MS, lock=9_400 * MS, recv=100 * MS)
    watches = thread(702, user=10 * MS, poll=9_990 * MS)
    pool = replace(
        one,
        threads=(first, asking, watches),
        calls=(*one.calls, call("recvfrom", "tcp", 997, tid=701, wait=100 * MS)),
        loops=(*one.loops, loop("poll", 300, tid=702)),
    )
    assert model_of(pool).title == "event loop on epoll (level-triggered) + thread pool"
    serving = replace(pool, threads=(first, replace(asking, requests=90), watches))
    assert model_of(serving).title.startswith("mixed: event loop on epoll")


def test_the_main_thread_is_no_pool() -> None:
    one = event_loop()
    loops = tuple(replace(row, tid=701) for row in one.loops)
    calls = tuple(replace(row, tid=701) for row in one.calls)
    rows = (thread(user=500 * MS, lock=9_500 * MS), replace(one.threads[0], tid=701))
    beside = replace(one, threads=rows, loops=loops, calls=calls)
    assert model_of(beside).title == "event loop on epoll (level-triggered)"

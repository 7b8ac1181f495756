"""Figures of the right whole: of one socket, of one life, of what is still there."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Signal
from iotrace.report.surroundings import MOST_PEERS, Connected
from tests.unit.verdict import clients, elsewhere, hangs, made_busy, made_ends, made_servers
from tests.unit.verdict.clients import CALLBACK, NO_LISTENER
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    findings,
    in_call,
    judged,
    line_of,
    loop,
    process,
    thread,
)


def test_lines_of_a_thread_that_was_added_up_are_no_consumers() -> None:
    """Its lines keep its number, which no row has any more."""
    work = in_call("recvfrom", "tcp", *CALLBACK, fd=8)
    one = process(
        [thread(user=S, recv=9 * S)], [call("recvfrom", "tcp", 43, wait=9 * S)],
        [loop(wait=S, busy=700 * MS)],
        [descriptor(8, local="10.0.0.7:51008", peer="10.0.0.8:80", wait=9 * S)],
    )  # fmt: skip
    lines = (line_of(work, 40, 9 * S, 700 * MS, tid=999),)
    assert judged(replace(one, lines=lines, sockets=NO_LISTENER)).findings


def test_datagrams_of_other_sockets_are_not_counted_as_received() -> None:
    (one,) = elsewhere.dropped_datagrams(True)
    other = descriptor(6, kind="udp", local="10.0.0.7:40001", peer="10.0.0.53:53")
    for made in (
        replace(one, descriptors=(*one.descriptors, other)),
        replace(one, calls=(call("recvmmsg", "udp", 1_100),)),  # many in each
    ):
        found = findings(made)["IO198"]
        assert "received" not in found.evidence
        assert " of " not in found.title.partition("was full for ")[2].partition("that came")[0]


def test_a_socket_that_only_sends_receives_nothing() -> None:
    (one,) = elsewhere.dropped_datagrams(True)
    sends = descriptor(6, kind="udp", local="10.0.0.7:40001", peer="10.0.0.53:53", bytes_in=0)
    found = findings(replace(one, descriptors=(*one.descriptors, sends)))["IO198"]
    assert found.evidence["received"] == 1_100


def test_readers_that_share_the_work_are_not_busy_together() -> None:
    (one,) = elsewhere.dropped_datagrams(True)
    tids = range(701, 709)
    made = replace(
        one,
        threads=tuple(thread(tid, user=S, poll=9 * S) for tid in tids),
        calls=tuple(call("recvfrom", "udp", 140, tid=tid) for tid in tids),
        lines=(),
    )
    found = findings(made)["IO198"]
    assert found.evidence["reader_busy_ratio"] == 0.1
    assert "bursts" in found.advice


def test_a_worker_lives_as_long_as_its_process_however_many_threads_it_has() -> None:
    parent, *workers = made_ends.killed_workers(True)
    crowded = [
        replace(
            one, threads=(*one.threads, *(thread(one.pid * 10 + i, lock=3 * S) for i in range(7)))
        )
        for one in workers
    ]
    lives = [
        findings(parent, *family)["IO192"].evidence["mean_life_ns"] for family in (workers, crowded)
    ]
    assert lives == [3 * S, 3 * S]


def test_a_peer_of_which_nothing_is_told_was_not_connected_anew() -> None:
    (one,) = clients.slow_callbacks(True)
    assert one.sockets is not None
    peers = [Connected(f"10.0.1.{i}:80", 2, 0) for i in range(MOST_PEERS)]
    for number, found in ((MOST_PEERS - 1, True), (MOST_PEERS, False)):
        sockets = replace(one.sockets, connected=tuple(peers[:number]))
        assert ("IO197" in findings(replace(one, sockets=sockets))) is found


def test_clients_that_have_gone_do_not_keep_a_server_from_ending() -> None:
    (one,) = made_ends.endless_shutdown(True)
    gone = (descriptor(20 + i, peer=f"10.0.0.99:{50_000 + i}") for i in range(50))
    found = findings(replace(one, descriptors=(*one.descriptors, *gone)))["IO193"]
    assert found.evidence["connections_of_clients"] == 3
    assert "10.0.0.99" not in found.title


def test_of_several_unix_sockets_none_is_said_to_be_the_full_one() -> None:
    (one,) = elsewhere.unix_backlog(True)
    (asked,) = one.upstreams
    assert findings(one)["IO199"].evidence["socket"] == "lockd.sock"
    busier = replace(asked, peer="unix:/run/redis.sock", calls=100_000)
    found = findings(replace(one, upstreams=(asked, busier)))["IO199"]
    assert "socket" not in found.evidence
    assert "redis" not in found.title


def test_killed_workers_that_were_added_up_count() -> None:
    """Nothing tells of their listeners: all of them have to be killed, and workers to be there."""
    parent, *workers = made_ends.killed_workers(True)
    alive = [replace(one, ended_ns=None, signals=()) for one in workers[:2]]
    ended = replace(
        process([thread(0, user=18 * S, lock=3 * S)], pid=0, parent=PID, count=7),
        threads=(replace(thread(0, user=18 * S, lock=3 * S), count=7),),
    )
    for signals, found in (("SIGABRT", 7), ("SIGABRT", 6), ("SIGTERM", 7)):
        gone = replace(ended, signals=(Signal(0, signals, found),))
        told = findings(parent, *alive, gone)
        assert ("IO192" in told) is (signals == "SIGABRT" and found == 7)
    told = findings(parent, *alive, replace(ended, signals=(Signal(0, "SIGABRT", 7),)))["IO192"]
    assert (told.evidence["workers_replaced"], told.evidence["mean_life_ns"]) == (7, 3 * S)
    jobs = [replace(one, sockets=NO_LISTENER) for one in alive]
    gone = replace(ended, signals=(Signal(0, "SIGABRT", 7),))
    assert "IO192" not in findings(parent, *jobs, gone)


def test_a_worker_that_is_replaced_lives_as_long_as_its_process() -> None:
    parent, *workers = made_busy.replaced_workers(True)
    helpers = (thread(9_000 + i, lock=2 * S) for i in range(30))
    crowded = [replace(workers[0], threads=(*workers[0].threads, *helpers)), *workers[1:]]
    evidence = findings(parent, *crowded)["IO166"].evidence
    assert (evidence["mean_life_ns"], evidence["start_up_share_ratio"]) == (2 * S, 0.5)


def test_only_a_block_that_makes_a_stall_is_named() -> None:
    (one,) = made_servers.stalled(True)
    (loop,) = one.loops
    assert loop.stalls is not None and loop.stalls.worst is not None
    computes = replace(loop.stalls, cpu_ns=990 * MS)
    for stalls, longest, named in (
        (loop.stalls, 3 * MS, True), (computes, 3 * MS, False), (computes, 60 * MS, True),
    ):  # fmt: skip
        worst = replace(stalls.worst, wait_ns=longest)  # type: ignore[type-var]
        stalled = replace(loop, stalls=replace(stalls, worst=worst))
        found = findings(replace(one, loops=(stalled,)))["IO103"]
        assert ("longest_blocking_call" in found.evidence) is named


def test_a_sleep_under_way_is_one_of_those_that_took_the_time() -> None:
    (one,) = made_servers.sleeping(True)
    calls = tuple(
        replace(row, in_flight=1) if row.syscall == "clock_nanosleep" else row for row in one.calls
    )
    before, found = (findings(replace(one, calls=rows))["IO117"] for rows in (one.calls, calls))
    assert found.evidence["sleeps"] == int(before.evidence["sleeps"]) + 1
    assert int(found.evidence["mean_sleep_ns"]) < int(before.evidence["mean_sleep_ns"])


def test_a_file_that_a_loop_waits_for_is_told_so() -> None:
    loop = ("lib/asyncio/base_events.py:1922 BaseEventLoop._run_once", "app.py:30 main")
    opens = in_call("openat", "", "app.py:16 load", *loop)
    one = process([hangs.waiting(PID, opens, file=10 * S)], [call("accept4", "tcp", 1)])
    found = findings(one, pending=1)["IO146"]
    assert found.title.startswith("The event loop's thread waits for the file system: 1 connection")


def test_a_worker_tells_what_it_does_itself() -> None:
    """The others may do something else."""
    (one,) = hangs.accept_queue(True)
    master = replace(process([thread(sleep=10 * S)]), sockets=one.sockets)
    workers = [
        replace(
            one,
            pid=pid,
            parent=PID,
            threads=tuple(replace(row, tid=pid) for row in one.threads),
            calls=tuple(replace(row, tid=pid) for row in one.calls),
            lines=tuple(replace(row, tid=pid) for row in one.lines),
        )
        for pid in (701, 702)
    ]
    titles = [
        told.title
        for found in judged(master, *workers).findings
        for told in (found, *found.symptoms)
        if told.id == "IO171"
    ]
    assert titles[0].startswith("All workers are busy (this one waits in recvfrom at srv/app.py:9")


def test_a_queue_before_workers_makes_what_one_does_no_cause() -> None:
    """One waits for files and gets to accept; three sleep for a lock, which costs more."""
    (queued,) = hangs.accept_queue(True)
    (sleeps,) = made_servers.sleeping(True)
    master = replace(process([thread(sleep=10 * S)]), sockets=queued.sockets)
    first = [
        replace(
            one,
            pid=701 + number,
            parent=PID,
            threads=tuple(replace(row, tid=701 + number) for row in one.threads),
            calls=tuple(replace(row, tid=701 + number) for row in one.calls),
            lines=tuple(replace(row, tid=701 + number) for row in one.lines),
            sockets=queued.sockets,
        )
        for number, one in enumerate((queued, sleeps, sleeps, sleeps))
    ]
    assert [one.id for one in judged(master, *first).findings] == ["IO117", "IO119"]
    elsewhere = [replace(one, sockets=NO_LISTENER) for one in first[1:]]
    assert judged(master, first[0], *elsewhere).findings[0].id == "IO119"


def test_calls_of_one_kind_are_counted_over_threads() -> None:
    (one,) = elsewhere.slow_file(True)
    slow = next(row for row in one.calls if row.syscall == "fsync")
    again = replace(slow, tid=PID + 1)
    threads = (*one.threads, thread(PID + 1, file=4 * S))
    two = replace(one, threads=threads, calls=(*one.calls, again))
    evidence = findings(two)["IO152"].evidence
    assert evidence["waited_in_it_ns"] == 2 * slow.wait_ns
    assert evidence["calls"] == 2 * (slow.calls or 0)


def test_what_one_loop_reads_for_another_lies_until_that_one_has_time() -> None:
    """gRPC's thread reads, asyncio's handles."""
    (one,) = made_servers.left(True)
    asyncio = thread(701, user=9 * S, poll=S)
    polls = call("epoll_wait", "", 90, tid=701, wait=S)
    both = replace(one, threads=(*one.threads, asyncio), calls=(*one.calls, polls))
    for busy, found in ((200 * MS, False), (5 * MS, True)):
        loops = (*one.loops, loop(tid=701, busy=busy, iterations=90))
        assert ("IO107" in findings(replace(both, loops=loops))) is found, busy

"""What hangs and what only looks like it: workers, clients that listen, pools with no queue."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Finding, OneSided, OpenSockets, Phase, Requests
from iotrace.report.stacks import Frame
from iotrace.verdict.causes import stories_of
from iotrace.verdict.purpose import Purpose, purpose_of
from iotrace.verdict.rules.registry import RULES
from iotrace.verdict.rules.rule import Hit
from iotrace.verdict.stuck import takes_again
from tests.unit.verdict import hangs
from tests.unit.verdict.made import (
    MS,
    PID,
    US,
    S,
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


def test_threads_that_serve_one_stream_each_are_a_full_pool_where_others_wait() -> None:
    stream = in_call(
        "futex", "", "lib/threading.py:327 Condition.wait", "lib/queue.py:171 Queue.get",
        "app.py:12 subscribe", "lib/site-packages/grpc/_server.py:590 _take_response",
        *hangs.WORKER,
    )  # fmt: skip
    one = process([hangs.waiting(tid, stream) for tid in (701, 702)])
    late = Requests("127.0.0.1:8000", 3, 3, 1, 2 * S, None, None, None, None, None)
    told = findings(replace(one, requests=(late,)))["IO142"]
    assert "grpc.aio" in told.advice  # quick work in an executor of its own is no help there
    soon = replace(late, oldest_unanswered_ns=MS)
    assert "IO142" not in findings(replace(one, requests=(soon,)))


def test_who_keeps_a_pool_is_told_a_client_or_a_server() -> None:
    (one,) = hangs.full_pool(True)
    reading = in_call("recvfrom", "tcp", "app.py:7 view", *hangs.WORKER, fd=9, wait=200 * MS)
    threads = tuple(replace(row, in_call=reading) for row in one.threads)
    for local, is_client in (("127.0.0.1:8000", True), ("127.0.0.1:40001", False)):
        row = descriptor(9, local=local, peer="10.0.0.7:41000")
        told = findings(replace(one, threads=threads, descriptors=(row,)))["IO142"]
        assert ("clients that send slowly" in told.title) is is_client, told.title
        assert ("reverse proxy in front" in told.advice) is is_client


def test_a_full_pool_says_whom_all_of_its_threads_wait_for() -> None:
    """By its address, or by as many connections as there are threads, where that is not known."""
    (one,) = hangs.full_pool(True)
    mute = OneSided("10.0.0.9:443", False, 2, 5 * S, 1)
    here, elsewhere = (
        in_call("recvfrom", "tcp", place, *hangs.WORKER, fd=9, wait=200 * MS, peer=peer)
        for place, peer in (("app.py:7 view", "10.0.0.9:443"), ("app.py:8 view", "socket:[81]"))
    )
    unnamed = replace(here, peer="socket:[81]")
    for calls, asked, told in (
        ((here, here), (), ", waiting for 10.0.0.9:443; other work"),
        ((here, here), (mute,), ", waiting for 10.0.0.9:443, which does not answer; other work"),
        ((unnamed, unnamed), (mute,), ", most likely waiting for 10.0.0.9:443, which does not"),
        ((unnamed, unnamed), (replace(mute, connections=3),), "app.py:7 view, other work"),
        ((here, elsewhere), (mute,), "view, other work"),
    ):
        rows = zip(one.threads, calls, strict=True)
        threads = tuple(replace(row, in_call=made) for row, made in rows)
        sockets = OpenSockets(9, ("127.0.0.1:8000",), 0, 0, one_sided=asked)
        found = findings(replace(one, threads=threads, sockets=sockets))["IO142"]
        assert told in found.title, found.title


def test_a_view_of_the_peer_that_a_pool_waits_for_is_no_effect() -> None:
    rules = {rule.id: rule for rule in RULES}
    full = (rules["IO142"], Hit({"waits_for": "10.0.0.9:443"}, 90))
    for peer, same in (("10.0.0.9:443", True), ("10.0.0.7:5432", False)):
        hangs_there = (rules["IO165"], Hit({"peer": peer}, 80))
        (story,) = stories_of([full, hangs_there])
        assert (bool(story.same), bool(story.symptoms)) == (same, not same)


def test_a_pool_whose_threads_sleep_to_retry_is_told_what_helps() -> None:
    (one,) = hangs.full_pool(True)
    retry = "lib/python3.11/site-packages/urllib3/util/retry.py:374 Retry.sleep"
    for inner, told in (((retry,), True), ((), False)):
        sleeps = in_call("clock_nanosleep", "", *inner, "app.py:7 view", *hangs.WORKER, wait=S)
        threads = tuple(replace(row, in_call=sleeps) for row in one.threads)
        found = findings(replace(one, threads=threads))["IO142"]
        assert ("a library sleeps before it tries again" in found.title) is told
        assert ("See why the call fails" in found.advice) is told


def test_a_process_that_was_entered_late_is_judged_by_the_time_it_was_traced() -> None:
    (one,) = hangs.full_pool(True)
    late = [replace(row, states_ns=thread(sleep=4 * S).states_ns) for row in one.threads]
    late = [replace(row, lifetime_ns=4 * S) for row in late]
    assert "IO142" not in findings(replace(one, threads=tuple(late)))
    first = thread(PID, lock=4 * S)
    assert "IO142" in findings(replace(one, threads=(first, *late)))


def test_a_pool_that_computes_is_short_of_cpu_not_of_threads() -> None:
    (one,) = hangs.full_pool(True)
    for times, found in (({"sleep": 7 * S, "gil": 3 * S}, True), ({"gil": 9 * S}, False)):
        rows = [thread(row.tid, user=S, **times).states_ns for row in one.threads]
        threads = tuple(
            replace(row, states_ns=states) for row, states in zip(one.threads, rows, strict=True)
        )
        waited = times["gil"]
        waits = [call("futex", "gil", 997, tid=row.tid, wait=waited) for row in threads]
        seen = replace(one, threads=threads, calls=(*one.calls, *waits))
        assert ("IO142" in findings(seen)) is found


def test_waiting_for_the_gil_is_no_idling() -> None:
    (one,) = hangs.full_pool(True)
    threads = tuple(
        replace(row, states_ns=thread(row.tid, sleep=9 * S, lock=S).states_ns)
        for row in one.threads
    )
    for kind, found in (("short timeout", True), ("", False)):
        waits = [call("futex", kind, 33, tid=row.tid, wait=S) for row in threads]
        seen = replace(one, threads=threads, calls=(*one.calls, *waits))
        assert ("IO142" in findings(seen)) is found


def test_a_pool_is_known_where_its_threads_are_on_a_cpu_at_the_end() -> None:
    (one,) = hangs.full_pool(True)
    (first, *_) = one.threads
    assert first.in_call is not None
    made = line_of(first.in_call, 100, 20 * S, 200 * MS)
    sleeps = [call("clock_nanosleep", "", 50, tid=row.tid, wait=10 * S) for row in one.threads]
    busy = tuple(replace(row, in_call=None) for row in one.threads)
    seen = replace(one, threads=busy, calls=(*one.calls, *sleeps), lines=(made,))
    assert findings(seen)["IO142"].evidence["threads"] == 2
    elsewhere = replace(made, stack=stack("app.py:9 main"))
    assert "IO142" not in findings(replace(seen, lines=(replace(made, wait_ns=S), elsewhere)))


def test_a_pool_that_is_given_one_job_after_the_other_is_not_full() -> None:
    """Its thread sleeps before each job, however shortly."""
    (one,) = hangs.full_pool(True)
    waits = replace(
        call("futex", "", 66, tid=701, wait=33 * 100 * US),
        waits_ns=Phase(count=33, p50=100 * US, p99=200 * US),
    )
    assert "IO142" not in findings(replace(one, calls=(*one.calls, waits)))


def test_a_lock_that_a_fork_took_along_hangs_its_only_thread() -> None:
    taking = in_call("futex", "", "app.py:8 log", "app.py:20 main", object="a0")
    alone = hangs.waiting(PID, taking)
    assert "when the process was forked" in findings(process([alone]))["IO141"].title
    other = hangs.idle(702)
    assert "IO141" not in findings(process([alone, other]))


def test_a_lock_that_a_hanging_thread_has_is_told_with_it() -> None:
    found = judged(*hangs.locked(True)).findings
    assert [one.id for one in found] == ["IO140"]
    assert [one.id for one in found[0].symptoms] == ["IO141"]


def test_all_who_wait_for_a_lock_are_counted_each_with_its_time() -> None:
    """Two for the whole trace, one for 4 s, and one that has only come: the same lock."""
    (one,) = hangs.locked(True)
    first = one.threads[0].in_call
    assert first is not None
    later = [
        hangs.waiting(tid, replace(first, since_ns=10 * S - held, wait_ns=held))
        for tid, held in ((704, 7 * S), (705, S))
    ]
    (found,) = judged(replace(one, threads=(*one.threads, *later))).findings
    (lock,) = found.symptoms
    assert (lock.id, lock.evidence["threads"]) == ("IO141", 4)
    assert "4 threads wait for 1 s to 10 s (2 of them for the whole trace) for a" in lock.title
    assert lock.lines[0].endswith("futex: 4 threads, not returned for 1 s to 10 s")


def test_whose_pipe_is_to_be_looked_at_is_said() -> None:
    (found,) = judged(*hangs.locked(True)).findings
    assert f"lsof +E -a -p {PID} -d 1`" in found.advice


def test_a_client_that_is_sent_data_unasked_is_idle() -> None:
    feed = in_call("recvfrom", "tcp", "app.py:8 read", "app.py:20 main", fd=8, peer="10.0.0.9:1")
    row = descriptor(8, local="127.0.0.1:51000", peer="10.0.0.9:1", bytes_out=10)
    waits = hangs.waiting(PID, feed, recv=10 * S)
    assert "IO140" not in findings(process([waits], descriptors=[row]))
    asked = replace(waits, in_call=replace(feed, since_ns=S, wait_ns=9 * S))
    assert "IO140" in findings(process([asked], descriptors=[row]))


def test_a_pools_own_worker_waits_for_work() -> None:
    """It sleeps in a function of the pool's package, which its thread was started for."""
    place = "lib/site-packages/psycopg_pool"
    own = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait", f"{place}/_acompat.py:90 Queue.get",
        f"{place}/pool.py:400 ConnectionPool.worker", "lib/threading.py:975 Thread.run",
        *hangs.BOOTSTRAP,
    )  # fmt: skip
    assert purpose_of(own) is Purpose.WORK
    asked = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait", f"{place}/pool.py:180 getconn",
        "app.py:12 index", *hangs.HANDLER,
    )  # fmt: skip
    assert purpose_of(asked) is Purpose.POOL


def test_sleeps_that_are_too_short_to_be_handed_a_job() -> None:
    (one,) = hangs.full_pool(True)
    short = replace(
        call("futex", "", 66, tid=701, wait=33 * US), waits_ns=Phase(count=33, p50=US, p99=US)
    )
    assert "IO142" in findings(replace(one, calls=(*one.calls, short)))


def test_a_stream_that_sleeps_between_its_writes_is_not_stuck() -> None:
    (one,) = hangs.polled_result(True)
    writes = tuple(row for row in one.calls if row.syscall != "recvfrom")
    assert "IO170" not in findings(replace(one, calls=writes))


def test_results_that_come_are_no_looks_in_vain() -> None:
    """The main thread waits for one result after the other, each time until it is woken."""
    result = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait",
        "lib/concurrent/futures/_base.py:451 Future.result", "app.py:9 main", wait=S, since=9 * S,
    )  # fmt: skip
    waits = replace(call("futex", "", 220, wait=9_900 * MS), errors={})
    one = process([hangs.waiting(PID, result)], [waits])
    assert "IO170" not in findings(one)
    timed = replace(waits, errors={"ETIMEDOUT": 219})
    assert "IO170" in findings(replace(one, calls=(timed,)))


def test_a_lone_thread_whose_wait_signals_interrupt_waits_for_itself() -> None:
    """Each signal ends the call, and its handler takes the same lock again."""
    taking = in_call(
        "futex", "", "app.py:21 flush", "app.py:26 handler", wait=465 * MS, since=9 * S
    )
    alone = process([hangs.waiting(PID, taking)])
    found = findings(alone)["IO141"]
    assert "is this thread itself (a signal handler" in found.title
    assert found.evidence["waited_ns"] == 10 * S
    assert "IO141" not in findings(process([hangs.waiting(PID, taking), hangs.idle(702)]))
    works = hangs.waiting(PID, taking, lock=9 * S, user=S)
    assert "IO141" not in findings(process([works]))


def test_a_thread_that_waits_for_its_clients_is_not_busy() -> None:
    """It serves one connection at a time, and the client has time."""
    (one,) = hangs.accept_queue(True)
    clients = tuple(replace(row, wait_ns=9 * S if row.fd == 7 else 0) for row in one.descriptors)
    one = replace(one, descriptors=clients)
    assert "IO171" not in findings(one)
    for idle, told in (({"recv": 8 * S}, False), ({"recv": S}, True)):
        states = thread(recv=9 * S, user=S).states_ns
        rows = tuple(replace(row, states_ns=states, idle_ns=idle) for row in one.threads)
        found = findings(replace(one, threads=rows))
        assert ("IO171" in found) is told
        if told:
            assert "busy with requests that clients send slowly" in found["IO171"].title
            assert "reverse proxy" in found["IO171"].advice


def test_a_worker_that_is_busy_is_told_from_one_without_a_cpu() -> None:
    (one,) = hangs.accept_queue(True)
    for times, found in (((3 * S, 6 * S, S), True), ((6 * S, 3 * S, S), False)):
        runq, recv, accept = times
        row = thread(runq=runq, recv=recv, accept=accept)
        assert ("IO171" in findings(replace(one, threads=(row,)))) is found


def test_a_worker_that_asks_another_service_waits_for_no_client() -> None:
    (one,) = hangs.accept_blocked(True)
    for wait, found in ((2 * S, False), (6 * S, True)):
        asks = in_call("read", "tcp", "app.py:16 main", fd=8, peer="10.0.0.9:80", wait=wait)
        threads = tuple(replace(row, in_call=asks) for row in one.threads)
        away = (descriptor(8, local="10.0.0.7:51000", peer="10.0.0.9:80"),)
        told = findings(replace(one, threads=threads, descriptors=away))
        assert ("IO146" in told) is found
        assert "one client" not in " ".join(each.title for each in told.values())


def test_threads_that_serve_connections_do_not_leak() -> None:
    (one,) = hangs.kept_threads(True)
    polls = in_call(
        "futex", "", "lib/threading.py:327 Event.wait", "app.py:20 poll", *hangs.HANDLER
    )
    serving = [
        replace(row, in_call=replace(polls, wait_ns=row.lifetime_ns))
        for row in one.threads
        if row.in_call
    ]
    assert "IO163" not in findings(replace(one, threads=(one.threads[0], *serving)))


def test_threads_that_leak_in_a_process_that_was_entered_late() -> None:
    (one,) = hangs.kept_threads(True)
    late = [row for row in one.threads if row.started_ns >= 5 * S]
    assert "IO163" not in findings(replace(one, threads=(one.threads[0], *late)))
    first = thread(accept=5 * S)
    assert "IO163" in findings(replace(one, threads=(first, *late)))


def test_a_childs_output_that_somebody_else_keeps_open() -> None:
    """Whose child still runs waits for it, as it means to, unless a request waits."""
    reads = "lib/subprocess.py:2059 Popen._communicate"
    runs = in_call("poll", "pipe", reads, "app.py:6 restart", peer="pipe:[81]")
    assert findings(process([hangs.waiting(PID, runs)])) == {}
    kept = replace(runs, inherited_by=("902 tail",))
    found = findings(process([hangs.waiting(PID, kept)]))["IO140"]
    assert "still open in process 902 tail" in found.title
    assert "in the background" in found.advice
    asked = in_call("poll", "pipe", reads, "app.py:6 view", *hangs.HANDLER, peer="pipe:[81]")
    assert "a child process" in findings(process([hangs.waiting(701, asked)]))["IO140"].title


def test_what_is_sent_again_and_never_acknowledged() -> None:
    connects = in_call(
        "poll", "tcp", "lib/site-packages/redis/connection.py:1601 Connection._connect",
        "app.py:8 work", fd=9, peer="10.9.0.9:6379",
    )  # fmt: skip
    row = descriptor(9, local="10.9.1.1:42134", peer="10.9.0.9:6379")
    for again, unsent in ((3, 1), (3, 0), (0, 1)):
        rows = [replace(row, retransmits=again, unsent_bytes=unsent)]
        one = process([hangs.waiting(PID, connects)], (), (), rows)
        title = findings(one)["IO140"].title
        assert "in connect to 10.9.0.9:6379" in title
        assert ("sent again 3 times and not acknowledged" in title) is bool(again and unsent)


def test_what_keeps_the_accepting_thread_is_told_where_it_is_most_of_its_time() -> None:
    (one,) = hangs.accept_queue(True)
    (slow,) = one.lines
    for waited, told in (
        (9 * S, "The thread that accepts waits in recvfrom at srv/app.py:9 report: "),
        (S, "The thread that accepts is busy: "),
    ):
        seen = replace(one, lines=(replace(slow, wait_ns=waited),))
        assert findings(seen)["IO171"].title.startswith(told)


def test_clients_that_rest_are_told_from_clients_that_send_slowly() -> None:
    """By the ledger of requests: a request in hand has begun to arrive."""
    (one,) = hangs.full_pool(True)
    reading = in_call("recvfrom", "tcp", "app.py:7 view", *hangs.WORKER, fd=9, wait=200 * MS)
    row = descriptor(9, local="127.0.0.1:8000", peer="10.0.0.7:41000")
    for idle, told, advice in (
        ({"recv": 9 * S}, "kept connections on which clients send no request", "keep-alive"),
        ({"recv": S}, "busy 90 % of the time at srv/app.py:7 view with requests that clients send "
         "slowly", "reverse proxy"),
        (None, "clients that send slowly or not at all", "reverse proxy"),
    ):  # fmt: skip
        states = thread(recv=10 * S).states_ns
        threads = tuple(
            replace(row, in_call=reading, states_ns=states, idle_ns=idle) for row in one.threads
        )
        found = findings(replace(one, threads=threads, descriptors=(row,)))["IO142"]
        assert told in found.title, found.title
        assert advice in found.advice


def test_a_finalizer_that_takes_the_lock_of_its_own_thread_is_named() -> None:
    emit = "lib/site-packages/loguru/_handler.py:{} Handler.emit"
    again = (emit.format(171), "app.py:18 Session.__del__", "app.py:22 sink")
    taking = in_call("futex", "", emit.format(171), "app.py:33 index", *hangs.HANDLER, object="a0")

    def told(outer: int) -> Finding:
        """With the line that the function further out is at."""
        circle = in_call(
            "futex", "", *again, emit.format(outer), "app.py:33 index", *hangs.HANDLER, object="a0"
        )
        return findings(process([hangs.waiting(701, taking), hangs.waiting(702, circle)]))["IO141"]

    found = told(177)
    assert "thread 702, one of them" in found.title
    assert "Session.__del__" in found.title
    assert found.lines[0].startswith("srv/app.py:18 Session.__del__")
    assert "garbage collector" in found.advice
    assert "one of them" not in told(160).title  # it has not come to the lock there


def test_a_module_that_imports_another_one_takes_another_lock() -> None:
    def imports(line: int) -> Frame:
        return Frame("_find_and_load", "<frozen importlib._bootstrap>", line)

    loads, takes = Frame("load", "/srv/app.py", 3), Frame("load", "/srv/app.py", 2)
    assert takes_again((imports(1165), loads, imports(1170))) is None
    assert takes_again((takes, loads)) == takes

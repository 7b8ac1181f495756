# SPDX-License-Identifier: Apache-2.0
"""Jobs, workers and scripts that nobody asks: what they wait for, and what only looks like it."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OpenSockets, Process, Ready
from iotrace.report.requests import Durations, Upstream
from iotrace.report.stacks import CpuSample, InCall, Wake
from iotrace.verdict.thread_activity import activity_by_thread
from tests.found import Found, by_rule
from tests.unit.verdict import hangs
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    in_call,
    judged,
    line_of,
    loop,
    process,
    stack,
    thread,
)

MAIN = "job.py:7 main"


def found(*processes: Process) -> Found:
    """Findings of processes that do not listen."""
    return by_rule(judged(*processes).findings)


def waits_for(child: InCall, *parents: InCall) -> Found:
    """What is said of a parent whose threads are in these calls, and of a child in that one."""
    rows = [hangs.waiting(PID + place, one, poll=10 * S) for place, one in enumerate(parents)]
    below = process([hangs.waiting(900, child, recv=10 * S)], pid=900, parent=PID)
    return found(process(rows), below)


CAPTURES = in_call(
    "poll", "pipe", "lib/selectors.py:415 select", "lib/subprocess.py:2059 Popen._communicate", MAIN
)  # fmt: skip
REAPS = in_call("wait4", "", "lib/subprocess.py:1990 Popen._wait", MAIN)
AT_TERMINAL = in_call("read", "tty", fd=0, peer="/dev/pts/1")


def test_a_child_that_asks_where_nobody_sees_it_is_what_its_parent_hangs_for() -> None:
    told = waits_for(AT_TERMINAL, CAPTURES)["IO140"]
    assert told.evidence["child_that_asks"] == "900 python3"
    assert told.evidence["its_stdin"] == "/dev/pts/1"
    assert "waits for input on its stdin, the terminal" in told.title
    assert "DEVNULL" in told.advice


def test_a_child_that_somebody_may_talk_to_is_none() -> None:
    assert "IO140" not in waits_for(AT_TERMINAL, REAPS)
    other = in_call("read", "pipe", fd=5, peer="pipe:[9]")
    assert "IO140" not in waits_for(other, CAPTURES)


def test_a_childs_stdin_that_the_parent_never_closes_hangs_both() -> None:
    kept = in_call("read", "pipe", fd=0, peer="pipe:[9]", others=(PID,))
    told = waits_for(kept, REAPS)["IO140"]
    assert "only this process could close" in told.title
    feeds = in_call("futex", "", "lib/queue.py:171 Queue.get", "job.py:20 feed", *hangs.BOOTSTRAP)
    assert "IO140" not in waits_for(kept, REAPS, feeds)  # that thread has more for it some day


def locked(taker: str, pauses: int) -> Found:
    """A script that has slept in a library's function all along."""
    sleeping = in_call("clock_nanosleep", "", taker, MAIN, wait=90 * MS, since=9_900 * MS)
    calls = [
        call("clock_nanosleep", "", 100, wait=9_900 * MS),
        call("sendto", "tcp", pauses),
        call("recvfrom", "tcp", pauses),
    ]
    one = process([hangs.waiting(PID, sleeping, sleep=10 * S)], calls)
    asked = Upstream("10.0.0.9:6379", "tcp", pauses, 1, 0, None, None, None, None, 0, {})
    lines = (line_of(sleeping, 100, 9_900 * MS, 100 * MS),)
    return found(replace(one, lines=lines, upstreams=(asked,)))


def test_a_lock_that_other_programs_have_is_waited_for_by_asking_again_and_again() -> None:
    told = locked("lib/site-packages/redis/lock.py:168 Lock.__enter__", 100)["IO170"]
    assert "for a lock (Lock.__enter__ of redis/lock.py:168) that is not released" in told.title
    assert told.evidence["peer"] == "10.0.0.9:6379"
    assert told.severity == "medium"  # it may be there to take over
    # It gets it now and then: other calls than each look's are made.
    assert "IO170" not in locked("lib/site-packages/redis/lock.py:168 Lock.__enter__", 20)
    for taker in (
        "lib/site-packages/bot/clock.py:9 Clock.__enter__",
        "lib/site-packages/bot/app.py:9 App.run",
    ):
        assert "IO170" not in locked(taker, 100), taker


def flushing(place: str, tid: int = 710, attempts: int = 25) -> Found:
    """A script in native code, whose own threads connect in vain."""
    flush = in_call("futex", "", place, wait=MS, since=9_999 * MS)
    one = process(
        [thread(PID, lock=9 * S), thread(tid, lock=S)],
        [call("futex", "", 900, wait=9 * S), call("connect", "tcp", 1, tid=tid)],
    )
    broker = Upstream("10.0.0.9:9092", "tcp", 0, 0, 0, None, None, None, None, attempts, {})
    return found(replace(one, lines=(line_of(flush, 900, 8 * S, 20 * MS),), upstreams=(broker,)))


def test_native_threads_that_cannot_connect_are_what_the_program_waits_for() -> None:
    told = flushing(MAIN)["IO174"]
    assert told.evidence["peer"] == "10.0.0.9:9092"
    assert told.lines[0].startswith("job.py:7 main -> futex")
    assert "IO174" not in flushing(MAIN, attempts=1)
    assert "IO174" not in flushing(MAIN, tid=PID)  # its own thread connects: Python tells where


def test_a_connect_that_waits_was_not_refused() -> None:
    """Its descriptor's number was another's afterwards, who was answered."""
    connects = in_call("poll", "tcp", "lib/socket.py:836 create_connection", MAIN, fd=9)
    gone = Upstream("[2001:db8::2]:80", "tcp", 0, 0, 0, None, None, None, None, 8, {})
    row = descriptor(9, local="10.0.0.1:41000", peer="10.0.0.7:80", bytes_in=400)
    one = process(
        [thread(PID, poll=9 * S, user=S)], [call("poll", "tcp", 8, wait=9 * S)], (), [row]
    )
    slow = Upstream("10.0.0.7:80", "tcp", 8, 1, 0, None, None, None, Durations(8, *(S,) * 5), 0, {})
    quick = replace(slow, connect_ns=Durations(8, *(MS,) * 5))
    for longest, other, told in (
        (3 * S, quick, "it does not answer within 3 s"),
        (3 * S, slow, "(8 attempts), while"),  # those that were established may have taken it
        (MS, quick, "refused at once"),
    ):
        lines = (line_of(connects, 8, 9 * S, longest),)
        title = found(replace(one, lines=lines, upstreams=(gone, other)))["IO174"].title
        assert told in title, title


def test_a_thread_that_waits_for_work_does_not_wait_for_them() -> None:
    flush = in_call("futex", "", "lib/queue.py:171 Queue.get", MAIN)
    one = process(
        [thread(PID, lock=9 * S), thread(710, lock=S)], [call("connect", "tcp", 1, tid=710)]
    )
    broker = Upstream("10.0.0.9:9092", "tcp", 0, 0, 0, None, None, None, None, 25, {})
    lines = (line_of(flush, 9, 9 * S, S),)
    assert "IO174" not in found(replace(one, lines=lines, upstreams=(broker,)))


def test_attempts_without_a_pause_are_what_the_cpu_time_goes_to() -> None:
    def trying(attempts: int, place: str, made: int = 0) -> Found:
        frames = stack(place, "lib/site-packages/redis/client.py:9 execute", MAIN)
        sample = CpuSample(PID, 90, 9 * S, 0, 0, 0, 0, frames)
        one = process([thread(PID, user=9 * S)], [call("connect", "tcp", attempts)])
        redis = Upstream("10.0.0.9:6379", "tcp", 0, 0, 0, None, None, None, None, attempts, {})
        quick = Durations(made, *(MS,) * 5)
        other = Upstream("10.0.0.8:80", "tcp", made, 1, 0, None, None, None, quick, 0, {})
        return found(replace(one, cpu_samples=(sample,), upstreams=(redis, other)))

    connect = "lib/site-packages/redis/connection.py:7 Connection._connect"
    told = trying(40_000, connect)
    assert told["IO174"].evidence["per_second"] == 4_444
    assert "IO133" in [one.id for one in told["IO174"].symptoms]
    assert "each fails at once, most likely refused" in told["IO174"].title
    assert "IO174" not in trying(90, connect)
    # Samples do not tell to whom: most of the connections come about.
    assert "IO174" not in trying(2_000, connect, made=4_000)
    assert "IO174" not in trying(40_000, "lib/site-packages/redis/client.py:7 parse")


def pool(since_last_result: int) -> Found:
    """A process pool that has started a hundred workers, while the last result is so long ago."""
    result = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait",
        "lib/multiprocessing/pool.py:765 ApplyResult.wait", MAIN,
    )  # fmt: skip
    reads = in_call(
        "read", "pipe", "lib/multiprocessing/pool.py:579 Pool._handle_results", *hangs.BOOTSTRAP,
        fd=6, wait=since_last_result,
    )  # fmt: skip
    brief = process([thread(0, user=S, count=100, ended=S)], pid=0, parent=PID, count=100)
    threads = [hangs.waiting(PID, result), hangs.waiting(701, reads, recv=10 * S)]
    return found(process(threads), brief)


def test_workers_that_end_without_a_result_are_why_none_comes() -> None:
    told = pool(10 * S)["IO140"]
    assert told.evidence["workers_ended"] == 100
    assert "end as soon as they have started" in told.title
    assert "workers_ended" not in pool(100 * MS)["IO140"].evidence


def test_a_call_that_the_kernel_makes_again_after_a_signal_is_the_same() -> None:
    result = in_call(
        "futex", "", "lib/concurrent/futures/_base.py:451 Future.result", MAIN, wait=40 * MS
    )
    for error, is_the_same in (("ERESTARTSYS", True), ("ETIMEDOUT", False)):
        again = call("futex", "", 12, wait=9_900 * MS, errors={error: 12})
        seen = found(process([hangs.waiting(PID, result)], [again]))
        assert ("IO140" in seen) is is_the_same


def handler(handed_on: bool) -> Found:
    """A thread behind a lock, in which another asks a mail server since a while ago."""
    taking = ("lib/logging/__init__.py:927 Handler.acquire", "app.py:20 index", *hangs.HANDLER)
    sending = ("lib/smtplib.py:405 SMTP.getreply", *taking)
    behind = in_call("futex", "", *taking, object="a0", wait=8 * S, since=2 * S)
    next_one = replace(behind, wait_ns=S, since_ns=9 * S)
    holds = in_call("poll", "tcp", *sending, fd=9, peer="10.0.0.9:25", wait=S, since=9 * S)
    rows = [
        hangs.waiting(701, behind, lock=10 * S),
        hangs.waiting(702, next_one, lock=10 * S),
        hangs.waiting(703, holds, poll=10 * S),
    ]
    wakes = [Wake("", 5, 9 * S, 3 * S, 702, 1, stack(*taking), 1, stack(*taking[1:]))]
    return found(replace(process(rows), wakes=tuple(wakes) if handed_on else ()))


def test_a_lock_that_goes_from_one_to_the_next_is_not_kept() -> None:
    assert "IO141" not in handler(True)
    assert handler(False)["IO141"].evidence["likely_holder"] == "thread 703"


def test_many_short_syncs_are_no_slow_disk() -> None:
    often, slow = "The program syncs to the disk again", "The file system is slow"
    for longest, count, title in ((2, 3_000, often), (20, 3_000, often), (400, 30, slow)):
        synced = call("fsync", "file", count, wait=4 * S, longest=longest * MS)
        file = descriptor(5, kind="file", local="/srv/shop.db-journal", peer="", wait=4 * S)
        told = found(process([thread(file=4 * S, user=S)], [synced], (), [file]))["IO152"]
        assert told.title.startswith(title)
        assert ("one transaction" in told.advice) is (title == often)


def asleep_in(*library: str) -> Found:
    """A client that asks, and sleeps in this function of a library between two questions."""
    sleeping = in_call("clock_nanosleep", "", *library, MAIN)
    calls = [
        call("clock_nanosleep", "", 9, wait=8 * S),
        call("sendto", "tcp", 20, bytes=900),
        call("recvfrom", "tcp", 20, bytes=900, wait=S),
    ]
    row = descriptor(8, local="127.0.0.1:51008", peer="10.0.0.9:80", nonblocking=False)
    one = process([thread(PID, sleep=8 * S, recv=S)], calls, (), [row])
    sockets = OpenSockets(1, (), 0, 0)
    return found(replace(one, sockets=sockets, lines=(line_of(sleeping, 9, 8 * S, S),)))


def test_sleeps_of_a_library_that_tries_again_are_told_as_that() -> None:
    again = asleep_in("lib/site-packages/urllib3/util/retry.py:340 Retry.sleep")["IO117"]
    assert "tries again: Retry.sleep of urllib3/util/retry.py:340" in again.title
    assert again.severity == "high"
    assert "Retry-After" in again.advice
    own = asleep_in()["IO117"]
    assert own.severity == "low"  # it goes at its own pace
    assert "library" not in own.title


def batch(*others: InCall) -> Found:
    """A script that has waited for a result all along, beside threads that were in these calls."""
    result = in_call("futex", "", "lib/concurrent/futures/_base.py:451 Future.result", MAIN)
    rows = [hangs.waiting(701 + place, one, recv=10 * S) for place, one in enumerate(others)]
    return found(process([hangs.waiting(PID, result), *rows]))


def test_a_result_that_somebody_works_at_takes_long_and_does_not_hang() -> None:
    works = in_call("recvfrom", "tcp", "job.py:9 fetch", *hangs.WORKER, wait=40 * MS)
    waits = in_call("futex", "", "lib/concurrent/futures/thread.py:81 _worker", *hangs.BOOTSTRAP)
    helper = in_call("futex", "", "lib/site-packages/a/b.py:9 run", *hangs.BOOTSTRAP, wait=40 * MS)
    assert "IO140" not in batch(works)
    assert "IO140" in batch(waits)
    assert "IO140" in batch(helper)  # a library's own thread: it does no work of the program's
    assert "IO140" in batch()


def test_a_child_that_is_at_work_is_waited_for() -> None:
    result = in_call(
        "futex", "", "lib/multiprocessing/pool.py:765 ApplyResult.wait", MAIN
    )  # fmt: skip
    for wait, hanging in ((40 * MS, False), (10 * S, True)):
        at = in_call("read", "pipe", "job.py:9 count", fd=3, wait=wait)
        child = process([hangs.waiting(900, at, recv=10 * S)], pid=900, parent=PID)
        assert ("IO140" in found(process([hangs.waiting(PID, result)]), child)) is hanging


def test_a_queue_whose_items_nobody_finishes_is_told_as_that() -> None:
    join = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait", "lib/queue.py:90 Queue.join", MAIN
    )
    told = found(process([hangs.waiting(PID, join)]))["IO140"]
    assert "put into a queue" in told.title
    assert "task_done" in told.advice


def test_an_epoll_instance_for_one_wait_makes_no_event_loop() -> None:
    waits = loop("epoll_wait", 300, watched=None, trigger=None, wait=3 * S)
    one = process([thread(PID, poll=3 * S, recv=S)], [call("recvfrom", "tcp", 300)], [waits])
    of_one = replace(waits, ready=Ready(1.0, 1))
    for ready, role in ((waits.ready, "loop"), (of_one.ready, "reader")):
        made = replace(one, loops=(replace(waits, ready=ready),), sockets=OpenSockets(1, (), 0, 0))
        assert (activity_by_thread(made)[PID].multiplexers != ()) is (role == "loop")


def test_a_client_in_native_code_needs_one_attempt_only() -> None:
    waits = in_call("epoll_wait", "", "lib/site-packages/grpc/_channel.py:1181 _blocking", MAIN)
    threads = [thread(PID, poll=9 * S), thread(710, lock=S)]
    calls = [call("epoll_wait", "", 50, wait=9 * S), call("connect", "tcp", 1, tid=710)]
    gone = Upstream("10.0.0.9:50051", "tcp", 0, 0, 0, None, None, None, None, 1, {})
    one = replace(process(threads, calls), upstreams=(gone,))
    # Some of its short waits have a line, and all are counted.
    told = found(replace(one, lines=(line_of(waits, 9, S, 200 * MS),)))["IO174"]
    assert told.evidence["waited_ns"] == 9 * S
    quiet = [thread(PID, user=7 * S, poll=2 * S), thread(710, lock=S)]
    few = [call("epoll_wait", "", 50, wait=2 * S), call("connect", "tcp", 1, tid=710)]
    other = replace(process(quiet, few), upstreams=(gone,), lines=(line_of(waits, 9, S, 200 * MS),))
    assert "IO174" not in found(other)

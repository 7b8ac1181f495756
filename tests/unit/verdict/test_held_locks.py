# SPDX-License-Identifier: Apache-2.0
"""Locks that are held for long (IO144): by whom, and what is done meanwhile."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.stacks import CpuSample, Frame, InCall, Wake
from tests.unit.verdict import hangs
from tests.unit.verdict.made import MS, S, findings, in_call, line_of, process, stack, thread


def test_a_library_that_takes_a_lock_is_named() -> None:
    """Its holder is seen only in slow calls from within: who woke the waiters was past it."""
    cached = "lib/functools.py:997 cached_property.__get__"
    taking = in_call("futex", "", cached, "app.py:20 index", *hangs.HANDLER)
    filling = in_call(
        "recvfrom", "tcp", "app.py:15 rows", cached.replace("997", "1001"), "app.py:20 index",
        *hangs.HANDLER, fd=9,
    )  # fmt: skip
    past = stack("lib/http/server.py:538 flush_headers", *hangs.HANDLER)
    wake = Wake("", 26, 26 * S, S, 702, taking.own, taking.stack, 0, past)
    rows = [thread(tid, lock=8 * S, recv=2 * S) for tid in (701, 702)]
    line = line_of(filling, 40, 8 * S, 200 * MS, 702)
    one = replace(process(rows), lines=(line,), wakes=(wake,))
    found = findings(one)["IO144"]
    assert "taken in functools.py:997 cached_property.__get__" in found.title
    assert found.evidence["holder_sleeps_in"] == "recvfrom"
    assert "a library's own" in found.advice
    at_once = replace(line, total_ns=40 * S, wait_ns=40 * S)
    assert "IO144" not in findings(replace(one, lines=(at_once,)))


def test_a_log_that_is_sent_away_now_and_then_with_the_lock() -> None:
    """Two fifths of the time; five others wait meanwhile, and wake up when it is long over."""
    logs = ("lib/logging/__init__.py:978 Handler.handle", "app.py:34 page", *hangs.HANDLER)
    taking = in_call("futex", "", "lib/logging/__init__.py:927 Handler.acquire", *logs)
    sends = in_call("poll", "", "app.py:16 send", logs[0].replace("978", "980"), *logs[1:], fd=9)
    past = stack("lib/socket.py:706 SocketIO.readinto", *hangs.HANDLER)
    wake = Wake("", 25, 20 * S, 806 * MS, 702, taking.own, taking.stack, 0, past)
    rows = [thread(tid, lock=4 * S, recv=6 * S) for tid in range(701, 707)]
    line = line_of(sends, 5, 4 * S, 802 * MS, 702)
    one = replace(process(rows), lines=(line,), wakes=(wake,))
    found = findings(one)["IO144"]
    assert found.evidence["holder_sleeps_in"] == "poll"
    assert "QueueHandler" in found.advice
    brief = replace(line, max_ns=90 * MS, calls=45)
    assert "IO144" not in findings(replace(one, lines=(brief,))), "none explains the longest wait"
    seldom = replace(line, total_ns=S, wait_ns=S, calls=1)
    assert "IO144" not in findings(replace(one, lines=(seldom,))), "nor would so few explain all"


def _woken(waiting: InCall, waker: tuple[Frame, ...]) -> Wake:
    """Two threads have waited there 30 times, for 9 s, and thread 703 has always ended it."""
    return Wake("", 30, 9 * S, 299 * MS, 703, waiting.own, waiting.stack, 0, waker)


def test_a_lock_that_another_function_holds() -> None:
    """A refresh sleeps or computes with it, and rests in between; who waits does nothing long."""
    taking = in_call("futex", "", "app.py:25 orders", *hangs.HANDLER)
    holds = in_call("clock_nanosleep", "", "app.py:12 refresh", *hangs.BOOTSTRAP)
    rests = in_call("clock_nanosleep", "", "app.py:13 refresh", *hangs.BOOTSTRAP)
    wake = _woken(taking, stack("app.py:13 refresh", *hangs.BOOTSTRAP))
    rows = [thread(tid, lock=9 * S, recv=S) for tid in (701, 702)] + [thread(703, sleep=10 * S)]
    slow, short = line_of(holds, 30, 9 * S, 300 * MS, 703), line_of(rests, 30, S, 31 * MS, 703)
    one = replace(process(rows), lines=(short, slow), wakes=(wake,))
    found = findings(one)["IO144"]
    assert found.title.endswith("most likely sleeps in clock_nanosleep at srv/app.py:12")
    # A call in the waiters' own function is no surer than that, and explains less.
    waits = in_call("recvfrom", "tcp", "app.py:28 orders", *hangs.HANDLER, fd=9)
    also = line_of(waits, 30, 2 * S, 90 * MS, 701)
    told = findings(replace(one, lines=(short, slow, also)))["IO144"]
    assert told.title == found.title
    assert "IO144" not in findings(replace(one, lines=(short,)))
    assert "IO144" not in findings(replace(one, wakes=(replace(wake, calls=1),)))
    given = in_call("futex", "", "lib/threading.py:320 Condition.wait", "app.py:25 orders")
    handed = replace(wake, own=given.own, stack=given.stack)
    assert "IO144" not in findings(replace(one, wakes=(handed,)))
    computes = CpuSample(703, 500, 4 * S, 0, 0, 0, 0, stack("app.py:12 refresh", *hangs.BOOTSTRAP))
    rows[2] = thread(703, user=4 * S, sleep=6 * S)
    busy = replace(process(rows), lines=(short,), wakes=(wake,), cpu_samples=(computes,))
    assert findings(busy)["IO144"].title.endswith("most likely computes at srv/app.py:12 refresh")
    aside = replace(computes, stack=stack("app.py:40 work", *hangs.BOOTSTRAP))
    assert "IO144" not in findings(replace(busy, cpu_samples=(aside,)))


def test_calls_after_the_lock_was_let_go_of_explain_no_long_waits() -> None:
    """Waiters wake each other; a refresh keeps it for as long as the longest of them waits."""
    taking = in_call("futex", "", "app.py:20 orders", *hangs.HANDLER)
    after = in_call("recvfrom", "tcp", "app.py:22 orders", *hangs.HANDLER, fd=9)
    holds = in_call("clock_nanosleep", "", "app.py:12 refresh", *hangs.BOOTSTRAP)
    wakes = tuple(
        Wake("", 30, waited, 400 * MS, tid, taking.own, taking.stack, 0, waker)
        for waited, tid, waker in (
            (7 * S, 702, taking.stack),
            (2 * S, 703, stack("app.py:12 refresh", *hangs.BOOTSTRAP)),
        )
    )
    rows = [thread(tid, lock=9 * S, recv=S) for tid in (701, 702)] + [thread(703, sleep=10 * S)]
    reads, sleeps = (
        line_of(after, 99, 3 * S, 60 * MS, 701),
        line_of(holds, 20, 8 * S, 400 * MS, 703),
    )
    one = replace(process(rows), lines=(reads, sleeps), wakes=wakes)
    title = findings(one)["IO144"].title
    assert title.endswith("most likely sleeps in clock_nanosleep at srv/app.py:12")
    long = replace(reads, max_ns=300 * MS)
    title = findings(replace(one, lines=(long, sleeps)))["IO144"].title
    assert title.endswith("the one that has it sleeps in recvfrom at srv/app.py:22")


def test_a_queue_in_c_is_no_lock() -> None:
    """A thread waits in SimpleQueue.get(), which has no frame, for what another one accepts."""
    taking = in_call("futex", "", "app.py:25 work", *hangs.BOOTSTRAP)
    comes = in_call("accept4", "tcp", "app.py:12 main", *hangs.BOOTSTRAP)
    reads = in_call("recvfrom", "tcp", "app.py:13 main", *hangs.BOOTSTRAP)
    wake = _woken(taking, stack("app.py:14 main", *hangs.BOOTSTRAP))
    rows = [thread(tid, lock=9 * S, recv=S) for tid in (701, 702)] + [thread(703, recv=10 * S)]
    idle = [replace(row, idle_ns={"lock": 9 * S}) for row in rows[:2]] + rows[2:]
    accepts, gets = (
        line_of(comes, 30, 9 * S, 300 * MS, 703),
        line_of(reads, 30, 9 * S, 300 * MS, 703),
    )
    one = replace(process(rows), lines=(accepts,), wakes=(wake,))
    assert "IO144" not in findings(one)
    assert "IO144" in findings(replace(one, lines=(gets,)))
    assert "IO144" not in findings(replace(process(idle), lines=(gets,), wakes=(wake,)))


def test_a_lock_with_which_a_library_computes() -> None:
    """Most wakers are past it when they are seen; samples tell what is done with the lock."""
    emit = "lib/site-packages/loguru/_handler.py:200 Handler.emit"
    taking = in_call("futex", "", emit, "app.py:15 index", *hangs.HANDLER)
    past = stack("lib/http/server.py:538 flush_headers", *hangs.HANDLER)
    inside = emit.replace("200", "206")
    computing = stack("lib/lzma.py:240 LZMAFile.write", inside, "app.py:15 index", *hangs.HANDLER)
    wakes = tuple(
        Wake("", 10, waited, S, 702, taking.own, taking.stack, 0, waker)
        for waited, waker in ((7 * S, past), (S, stack(inside, *hangs.HANDLER)))
    )
    rows = [thread(tid, user=S, lock=4 * S, recv=5 * S) for tid in (701, 702, 703)]
    samples = (CpuSample(702, 500, 2_500 * MS, 0, 0, 0, 2, computing),)
    one = replace(process(rows), wakes=wakes, cpu_samples=samples)
    found = findings(one)["IO144"]
    assert found.title.endswith("computes at lzma.py:240 LZMAFile.write")
    assert found.evidence["computes_with_it_ns"] == 2_500 * MS  # as the table of samples says
    assert "enqueue=True" in found.advice
    elsewhere = replace(samples[0], own=0, stack=stack("app.py:90 work", *hangs.HANDLER))
    assert "IO144" not in findings(replace(one, cpu_samples=(elsewhere,)))
    given = replace(wakes[0], waker_stack=stack("app.py:60 produce", *hangs.BOOTSTRAP))
    assert "IO144" not in findings(replace(one, wakes=(given, wakes[1])))  # work for who waits
    assert "IO144" not in findings(replace(one, wakes=wakes[:1]))

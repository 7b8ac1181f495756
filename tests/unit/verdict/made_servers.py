"""Servers with a defect in how they read, wait and share work (IO101 to IO121), and repaired."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import GroupLimits, Process, StallCall, Stalls
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.verdict.made import (
    MS,
    PID,
    US,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    loop,
    process,
    thread,
)


def busy_polling(wrong: bool) -> tuple[Process, ...]:
    refused = 400_009 if wrong else 40
    reads = call("recvfrom", "tcp", refused + 41, errors={"EAGAIN": refused}, bytes=997)
    spins = replace(thread(user=6 * S, kernel=4 * S), syscalls=refused + 100)
    idles = thread(user=9 * MS, sleep=9_990 * MS)
    return (process([spins if wrong else idles], [reads], (), [descriptor(7)]),)


def sleeping_polling(wrong: bool) -> tuple[Process, ...]:
    sleeps = call("clock_nanosleep", "", 499, wait=9_980 * MS if wrong else MS)
    reads = call("recvfrom", "tcp", 540, errors={"EAGAIN": 499})
    rows = [descriptor(7, pickup=(41, 10 * MS, 19 * MS, 20 * MS))]
    times = {"sleep": 9_980 * MS} if wrong else {"user": 9_980 * MS}
    return (
        process(
            [thread(user=20 * MS, **times) if wrong else thread(**times)], [sleeps, reads], (), rows
        ),
    )


def stalls(own_ns: int, runq_ns: int) -> Stalls:
    waits = dict.fromkeys(WAIT_REASONS, 0) | {"recv": own_ns}
    worst = StallCall("recvfrom", "tcp", 9, 203 * MS)
    return Stalls(5, own_ns + runq_ns, 0, runq_ns, waits, worst)


def stalled(wrong: bool) -> tuple[Process, ...]:
    return (event_loop(stalls=stalls(S, 0) if wrong else stalls(MS, S), busy=203 * MS),)


def blocked_in_loop(wrong: bool) -> tuple[Process, ...]:
    one = event_loop()
    asleep = 3 * S if wrong else 4 * MS
    waits = thread(user=S, poll=9 * S - asleep, recv=asleep)
    reads = call("recvfrom", "tcp", 1_009, wait=asleep, longest=200 * MS)
    rows = (descriptor(7), descriptor(9, nonblocking=False, wait=asleep))
    return (replace(one, threads=(waits,), calls=(reads, *one.calls[1:]), descriptors=rows),)


def late(wrong: bool) -> tuple[Process, ...]:
    p99 = 97 * MS if wrong else 49 * MS
    rows = (descriptor(7, pickup=(101, 31 * MS, p99, p99)),)
    return (replace(event_loop(), descriptors=rows),)


def spinning(wrong: bool) -> tuple[Process, ...]:
    one = event_loop(iterations=90_001, unserved=89_000 if wrong else 90, data=1_001, wait=0)
    times = {"user": 6 * S, "kernel": 4 * S} if wrong else {"user": 900 * MS, "poll": 9_100 * MS}
    return (replace(one, threads=(thread(**times),)),)


def left(wrong: bool) -> tuple[Process, ...]:
    delay = 47 * MS if wrong else 9 * MS
    rows = (descriptor(7, pickup=(101, delay, delay, delay)),)
    return (replace(event_loop(trigger="edge"), descriptors=rows),)


def many(wrong: bool) -> tuple[Process, ...]:
    watched = 997 if wrong else 31
    one = event_loop(name="poll", iterations=20_011, watched=watched, nfds=watched)
    polls = call("poll", "", 20_011, kernel=S)
    return (replace(one, calls=(*one.calls[:2], polls)),)


def limit(wrong: bool) -> tuple[Process, ...]:
    return (event_loop(name="select", nfds=1_011 if wrong else 900),)


def tiny(wrong: bool) -> tuple[Process, ...]:
    one = blocking(wait=S)
    size = 1 if wrong else 60_000
    reads = call("recvfrom", "tcp", 50_021, bytes=50_021 * size, filled=50_021)
    busy = replace(thread(user=6 * S, kernel=3 * S, recv=S), syscalls=50_100)
    return (replace(one, threads=(busy,), calls=(one.calls[0], reads, one.calls[2])),)


def senders(wrong: bool) -> tuple[Process, ...]:
    asleep = 4 * S if wrong else 9 * MS
    one = blocking(wait=5 * S, send=asleep)
    sends = call("sendto", "tcp", 97, wait=asleep)
    rows = (descriptor(7, bytes_out=10**9, wait=asleep, nonblocking=False),)
    return (replace(one, calls=(*one.calls[:2], sends), descriptors=rows),)


def starved(wrong: bool) -> tuple[Process, ...]:
    # The same time in the run queue: in slices of 3 ms, or after each of many wake-ups.
    return (process([thread(user=5 * S, runq=5 * S, switches=1_600 if wrong else 90_000)]),)


def contended(wrong: bool) -> tuple[Process, ...]:
    one = blocking(wait=4 * S, lock=5 * S)
    kind = "short timeout" if wrong else ""
    waits = call("futex", kind, 1_601, wait=5 * S, errors={"ETIMEDOUT": 601})
    return (replace(one, calls=(*one.calls, waits)),)


def crowd(wrong: bool) -> tuple[Process, ...]:
    tids = range(701, 701 + (199 if wrong else 23))
    rows = [thread(tid, user=20 * MS, runq=50 * MS, recv=9_900 * MS, started=MS) for tid in tids]
    reads = [call("recvfrom", "tcp", 97, tid=tid, wait=9_900 * MS) for tid in tids]
    accepts = call("accept4", "tcp", len(tids))
    return (process([thread(accept=10 * S), *rows], [accepts, *reads]),)


def forks(wrong: bool) -> tuple[Process, ...]:
    begun = 997 if wrong else 97
    parent = process([thread(accept=10 * S)], [call("accept4", "tcp", begun)])
    children = process(
        [thread(0, user=S, kernel=3 * S, count=begun, started=MS)],
        [call("recvfrom", "tcp", begun, tid=0)],
        pid=0, parent=PID, count=begun, started=MS, ended=9 * S,
    )  # fmt: skip
    return parent, children


def herd(wrong: bool) -> tuple[Process, ...]:
    workers = [
        process(
            [thread(pid, user=S, poll=9 * S, switches=9_001 if wrong else 997)],
            [
                call("accept4", "tcp", 499, tid=pid),
                call("recvfrom", "tcp", 499, tid=pid),
                call("sendto", "tcp", 499, tid=pid),
                call("pselect6", "", 499, tid=pid, kernel=200 * MS),
            ],
            [loop("pselect6", 499, tid=pid, watched=1, nfds=4, data=0, eager=499)],
            [descriptor(7, nonblocking=False)],
            pid=pid, parent=PID,
        )
        for pid in (701, 702)
    ]  # fmt: skip
    return process([thread(sleep=10 * S)]), *workers


def sleeping(wrong: bool) -> tuple[Process, ...]:
    asleep = 5 * S if wrong else 100 * MS
    one = blocking(wait=4 * S, sleep=asleep)
    return (replace(one, calls=(*one.calls, call("clock_nanosleep", "", 503, wait=asleep))),)


def zero_timeout(wrong: bool) -> tuple[Process, ...]:
    empty = 200_003 if wrong else 1_009
    one = event_loop(
        iterations=empty + 1_009, empty=empty, zero_timeout=empty, data=1_009, busy=20 * US
    )
    times = {"user": 6 * S, "kernel": 4 * S} if wrong else {"user": 900 * MS, "poll": 9_100 * MS}
    return (replace(one, threads=(thread(**times),)),)


def stolen(wrong: bool) -> tuple[Process, ...]:
    """IO194: of 16 s that the CPUs wanted to run the hypervisor took 4; or a few ticks."""
    limits = GroupLimits(machine_running_ns=12 * S, machine_stolen_ns=4 * S if wrong else 500 * MS)
    return (replace(process([thread(user=8 * S, recv=2 * S)]), limits=limits),)


def throttled(wrong: bool) -> tuple[Process, ...]:
    rows = [thread(tid, user=S, runq=2 * S, recv=7 * S) for tid in (PID, 701, 702)]
    limits = GroupLimits("/pod", 0.2, 4 * S if wrong else 400 * MS)
    return (replace(process([*rows, thread(703, recv=10 * S)]), limits=limits),)

"""Processes that burn CPU time, or wait for memory: see test_rules.py."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import GroupLimits, Process, Quantiles
from iotrace.report.requests import Requests, RequestTier
from iotrace.report.stacks import CpuSample, Frame
from iotrace.report.times import Durations
from tests.unit.verdict.made import (
    MS,
    PID,
    US,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    in_call,
    line_of,
    loop,
    process,
    stack,
    thread,
)


def exhausted(wrong: bool) -> tuple[Process, ...]:
    """IO130: accept fails with EMFILE."""
    one = event_loop()
    accepts = call("accept4", "tcp", 9_001, errors={"EMFILE": 8_999} if wrong else {"EAGAIN": 31})
    return (replace(one, calls=(*one.calls, accepts)),)


def failing(wrong: bool) -> tuple[Process, ...]:
    """IO131: an error that nobody looks at."""
    errors = {"EBADF": 40_009} if wrong else {"EAGAIN": 40_009}
    spins = replace(thread(user=6 * S, kernel=3 * S, sleep=S), syscalls=50_000)
    return (process([spins], [call("other", "", 50_000, errors=errors)]),)


def long_iterations(wrong: bool) -> tuple[Process, ...]:
    """IO132: 17 ms at a time."""
    long = (16 * MS, 18 * MS, 397 if wrong else 97)
    one = event_loop(wait=2 * S)
    busy = Quantiles(17 * MS, 18 * MS, 18 * MS, histogram=((US, 2 * US, 5_003), long))
    computes = thread(user=7 * S, kernel=S, poll=2 * S)
    return (replace(one, threads=(computes,), loops=(replace(one.loops[0], busy_ns=busy),)),)


def never_sleeps(wrong: bool) -> tuple[Process, ...]:
    """IO133: a thread beside the loop."""
    one = event_loop()
    times = {"user": 9_900 * MS, "lock": 100 * MS} if wrong else {"user": 9 * S, "lock": S}
    computes = thread(701, **times)
    gets = call("getpid", "", 90_001, tid=701)
    return (replace(one, threads=(*one.threads, computes), calls=(*one.calls, gets)),)


def reads_at_end(wrong: bool) -> tuple[Process, ...]:
    """IO214: a pipe whose writers have gone; the twin's reads have a byte each."""
    spins = replace(thread(user=7 * S, kernel=2_900 * MS, runq=100 * MS), syscalls=400_000)
    reads = call("read", "pipe", 400_000, bytes=0 if wrong else 400_000)
    row = descriptor(5, kind="pipe", local="pipe:[71]", peer="", calls=400_000, bytes_in=0)
    return (process([spins], [reads], (), [row]),)


def timed_reads(wrong: bool) -> tuple[Process, ...]:
    """IO222: a serial line, each of whose answers is waited for to the end of a time-out; in the
    twin, half of the answers come by themselves."""
    asks = call("write", "tty", 500 if wrong else 1_000, bytes=6_000)
    reads = call("read", "tty", 500, bytes=7_500)
    waits = in_call(
        "pselect6", "", "lib/site-packages/serial/serialposix.py:565 Serial.read",
        "control.py:9 position",
    )  # fmt: skip
    port = descriptor(
        4, kind="tty", local="/dev/ttyUSB0", peer="", calls=1_000, bytes_in=7_500, bytes_out=6_000
    )
    polls = loop("pselect6", 1_500, watched=2, empty=500, timeouts=500, wait=9 * S, data=0)
    one = process([thread(poll=9 * S, user=S)], [asks, reads], [polls], [port])
    return (replace(one, lines=(line_of(waits, 480, 9 * S, 20 * MS),)),)


def faulting(wrong: bool) -> tuple[Process, ...]:
    """IO134: at the memory limit."""
    one = process([thread(user=S, recv=4 * S, fault=5 * S)])
    limits = GroupLimits(
        memory_group="/pod", memory_limit_bytes=1_000_000, memory_used_bytes=990_000
    )
    return (replace(one, limits=limits, major_faults=9_001 if wrong else 23),)


def collecting(wrong: bool) -> tuple[Process, ...]:
    """IO135: a fifth of the samples."""
    one = process([thread(user=5 * S, recv=5 * S)])
    stack = (Frame("look_up", "/srv/app.py", 7),)
    collecting = 199 if wrong else 19
    rows = (CpuSample(PID, 995, 5 * S, 0, collecting, 0, 0, stack),)
    return (replace(one, cpu_samples=rows),)


def polls_files(wrong: bool) -> tuple[Process, ...]:
    """IO172: a reloader, which looks each second; the twin walks through as many files once."""
    times = {"user": S, "kernel": S, **({"sleep": 8 * S} if wrong else {"runq": 8 * S})}
    looks = [call("newfstatat", "", 50_021), call("getdents64", "dir", 1_009)]
    return (process([replace(thread(**times), syscalls=52_000)], looks),)


def reads_files(wrong: bool) -> tuple[Process, ...]:
    """IO172 in a server: each request opens thousands of files; in the twin few."""
    opened = 40_000 if wrong else 97
    calls = [call("newfstatat", "", 40_000 if wrong else 97), call("openat", "", opened)]
    place = (Frame("metrics", "/srv/app.py", 7),)
    rows = (CpuSample(PID, 800, 4 * S, 0, 0, 0, 0, place),)
    seen = replace(thread(user=4 * S, kernel=S, recv=5 * S), syscalls=120_000)
    return (replace(process([seen], calls), cpu_samples=rows),)


def imports_for_each_job(wrong: bool) -> tuple[Process, ...]:
    """IO175: thirteen jobs, of 0.4 s each; in the twin as much CPU is used for the work."""
    opens = call("openat", "", 301 if wrong else 7)
    looks = call("newfstatat", "", 2_003 if wrong else 31)
    jobs = [
        replace(
            process([thread(number, user=400 * MS)], [opens, looks], pid=number, parent=PID),
            started_ns=(number - 700) * 500 * MS,
            ended_ns=(number - 700) * 500 * MS + 400 * MS,
        )
        for number in range(701, 714)
    ]
    return process([thread(child=10 * S)]), *jobs


def brief_workers(wrong: bool) -> tuple[Process, ...]:
    """IO203: a hundred processes of a pool, of 2 ms of CPU time each; the twin's work for 40 ms."""
    each = (2 if wrong else 40) * MS
    place = stack(
        "lib/concurrent/futures/process.py:829 ProcessPoolExecutor.shutdown", "evolve.py:18 main"
    )
    parent = process([thread(user=2 * S, kernel=S, lock=7 * S)])
    rows = (CpuSample(PID, 600, 3 * S, 0, 0, 0, 1, place),)
    workers = [
        replace(
            process([thread(number, user=each, lock=50 * MS)], pid=number, parent=PID),
            started_ns=(number - 700) * 95 * MS,
            ended_ns=(number - 700) * 95 * MS + 50 * MS + each,
        )
        for number in range(701, 801)
    ]
    return replace(parent, cpu_samples=rows), *workers


def growing_backlog(wrong: bool) -> tuple[Process, ...]:
    """IO213: parts are submitted four times as fast as four workers do them, 50 MB a second; in the
    twin as fast."""
    gives = stack(
        "lib/concurrent/futures/process.py:779 ProcessPoolExecutor.submit", "batch.py:21 main"
    )
    parent = process([thread(user=2 * S, sleep=8 * S)], [call("write", "pipe", 800)])
    rows = (CpuSample(PID, 9, S, 0, 0, 0, 1, gives),)
    limits = GroupLimits(own_bytes=700 << 20, own_grown_bytes=500 << 20, own_watched_ns=10 * S)
    works = in_call(
        "clock_nanosleep",
        "",
        "batch.py:7 work",
        "lib/concurrent/futures/process.py:256 _process_worker",
    )
    done = 50 if wrong else 197
    workers = []
    for number in range(701, 705):
        writes = call("write", "pipe", done, tid=number)
        reads = call("read", "pipe", 150, tid=number, wait=4 * MS)
        rows_of = [thread(number, sleep=10 * S)]
        workers.append(process(rows_of, [writes, reads], pid=number, parent=PID))
    at_work = [replace(one, lines=(line_of(works, done, 10 * S, S, one.pid),)) for one in workers]
    paces = line_of(in_call("clock_nanosleep", "", "batch.py:22 main"), 800, 8 * S, 10 * MS, PID)
    return replace(parent, cpu_samples=rows, lines=(paces,), limits=limits), *at_work


_STARTS = (
    "lib/threading.py:320 Condition.wait",
    "lib/threading.py:622 Event.wait",
    "lib/threading.py:962 Thread.start",
)


def brief_threads(wrong: bool) -> tuple[Process, ...]:
    """IO207: 500 threads that live for 8 ms each; the twin's live for a second."""
    life = 8 * MS if wrong else S
    ended = thread(0, user=500 * MS, lock=500 * life, count=500, started=MS, ended=9 * S)
    starts = line_of(in_call("futex", "", *_STARTS, "app.py:9 expire"), 90, 400 * MS, 9 * MS)
    one = process([thread(user=2 * S, poll=7 * S, lock=S), ended], [call("epoll_wait", "", 900)])
    return (replace(one, lines=(starts,)),)


def pickles(wrong: bool) -> tuple[Process, ...]:
    """IO176: a pool whose tasks have a large argument; the twin computes with the same figures."""
    feeds = Frame("ForkingPickler.dumps", "/usr/lib/python3.11/multiprocessing/reduction.py", 51)
    place = (feeds,) if wrong else (Frame("work", "/srv/app.py", 7),)
    rows = (
        CpuSample(PID, 900, 4_500 * MS, 0, 0, 0, 0, place),
        CpuSample(PID, 100, 500 * MS, 0, 0, 0, 0, (Frame("main", "/srv/app.py", 9),)),
    )
    writes = call("write", "pipe", 401, bytes=2 * S, wait=S)  # as many bytes as 2 s have ns
    one = process([thread(user=5 * S, send=S, lock=4 * S)], [writes])
    return (replace(one, cpu_samples=rows),)


def computing_requests(wrong: bool) -> tuple[Process, ...]:
    """IO178: 20 of 500 requests compute for 250 of their 300 ms; the twin's wait for disks."""
    one = blocking()
    slow = {"user": 230 * 20 * MS, "kernel": 20 * 20 * MS, "disk": 40 * 20 * MS, "gil": 200 * MS}
    twin = {"user": 30 * 20 * MS, "kernel": 20 * 20 * MS, "disk": 240 * 20 * MS, "gil": 200 * MS}
    service = slow if wrong else twin
    tiers = (
        RequestTier(0, 50 * MS, 480, 480 * MS, 0, {}, {"user": 480 * MS}),
        RequestTier(50 * MS, 400 * MS, 20, 6 * S, 0, {}, service),
    )
    latency = Durations(500, MS, 300 * MS, 300 * MS, 300 * MS, 310 * MS)
    row = Requests(
        "127.0.0.1:8000", 500, 500, 0, None, latency, None, None, None, None, tiers=tiers
    )
    return (replace(one, requests=(row,)),)


def replaced_workers(wrong: bool) -> tuple[Process, ...]:
    """IO166: workers of 2 s that sleep for 1 s of it while they import; or are there at once."""
    took = Durations(30, *(MS,) * 5, histogram=((MS, MS, 30),))
    served = Requests("127.0.0.1:8000", 30, 30, 0, None, took, None, None, took, took)
    starting = S if wrong else 10 * MS
    loads = in_call("clock_nanosleep", "", "app.py:6 load", "lib/importlib/__init__.py:126 import")
    workers = [
        replace(
            process(
                [thread(pid, poll=2 * S - starting - 30 * MS, sleep=starting, user=30 * MS)],
                [call("recvfrom", "tcp", 30, tid=pid), call("accept4", "tcp", 30, tid=pid)],
                pid=pid, parent=PID, started=began * S, ended=(began + 2) * S,
            ),
            requests=(served,),
            lines=(line_of(loads, 1, starting, starting, tid=pid),),
        )
        for pid, began in ((701, 1), (702, 3), (703, 5))
    ]  # fmt: skip
    return process([thread(sleep=10 * S)]), *workers


def tiny_sends(wrong: bool) -> tuple[Process, ...]:
    """IO167: 20 bytes at a time, each made in a thread; or as many answers of that size."""
    took = Durations(2, *(MS,) * 5, histogram=((MS, MS, 2),))
    whole = Durations(2, *(4 * S,) * 5, histogram=((4 * S, 4 * S, 2),))
    exchanges = 2 if wrong else 9_000
    served = Requests("127.0.0.1:8000", 2, exchanges, 0, None, took, None, None, took, whole)
    loop, pooled = thread(user=4 * S, kernel=2 * S, poll=4 * S), thread(701, user=S, lock=9 * S)
    one = event_loop()
    wakes = call("sendto", "unix", 9_000, tid=701)
    rows = (descriptor(7, calls=9_000, bytes_out=180_000, bytes_in=90),)
    return (
        replace(
            one, threads=(loop, pooled), calls=(*one.calls, wakes), descriptors=rows,
            requests=(served,),
        ),
    )  # fmt: skip


def empty_waits(wrong: bool) -> tuple[Process, ...]:
    """IO200: three threads look into a queue each 3 ms; or whenever something is there."""
    over = {"ETIMEDOUT": 3_000} if wrong else {}
    tids = (PID, 701, 702)
    threads = [
        replace(thread(tid, user=300 * MS, lock=9_700 * MS, switches=3_000), syscalls=6_000)
        for tid in tids
    ]
    looks = [call("futex", "", 3_000, tid=tid, wait=9_700 * MS, errors=over) for tid in tids]
    return (process(threads, looks),)

"""Hand-made reports, as real servers of each kind give them, and hostile ones.

Figures are what such servers measure: a thread's states add up to its lifetime, a call's
phases to its total.
"""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import (
    SCHEMA,
    Call,
    Descriptor,
    Finding,
    Host,
    Loop,
    Lost,
    Model,
    Operation,
    Percentiles,
    Pickup,
    Process,
    Quality,
    Quantiles,
    Ready,
    Report,
    Signal,
    StallCall,
    Stalls,
    States,
    Switches,
    Thread,
)
from iotrace.report.stacks import CpuSample, Frame, Line
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.histograms import phase, spread
from tests.unit.request_rows import requests, upstream

US = 1_000
MS = 1_000_000
S = 1_000_000_000
KIB = 1024
MIB = 1024 * 1024

# What a process may call itself: terminal escapes, reordered text, markup, formulas.
HOSTILE = (
    "\x1b[31mred\x1b]0;owned\x07",
    "two\nlines\r\ttab",
    "\u202egnp.exe\u2066",
    "c1\x9b31m\x7f",
    "bad\udcff\udc80",
    "<script>alert(1)</script>",
    "a|b||c\\",
    "=HYPERLINK(1)",
    "@SUM(1)",
    "\\input{/etc/passwd}$x$%",
    "[[link]]{{tpl}} `code` *b* _i_",
    ".. include:: /etc/passwd",
    "| - x",
    "服务器工作进程名字",
)


def states(lifetime_ns: int, **times: int) -> States:
    """The given times, with ``poll`` (or what else is no state) as a wait; sleep is what is left.

    The wait named last takes what the others leave of the lifetime.
    """
    wait = dict.fromkeys(WAIT_REASONS, 0)
    own = {name: times.pop(name, 0) for name in ("user", "kernel", "copy", "runq", "unaccounted")}
    wait.update(times)
    if times:
        wait[list(times)[-1]] += lifetime_ns - sum(own.values()) - sum(wait.values())
    return States(**own, wait=wait)


def thread(tid: int, name: str, lifetime_ns: int, **times: int) -> Thread:
    """A thread whose last named wait takes the rest of its lifetime."""
    return Thread(
        tid=tid,
        name=name,
        lifetime_ns=lifetime_ns,
        states_ns=states(lifetime_ns, **times),
        switches=Switches(voluntary=2 * tid, involuntary=tid % 7),
        syscalls=tid * 3,
    )


def call(tid: int, syscall: str, kind: str, calls: int, **figures: int) -> Call:
    """A call whose latencies follow from its total."""
    wait, runq = figures.get("wait_ns", 0), figures.get("runq_ns", 0)
    copy, kernel = figures.get("copy_ns", 0), figures.get("kernel_ns", 0)
    total = wait + runq + copy + kernel
    mean = total // calls if calls else 0
    return Call(
        tid=tid,
        syscall=syscall,
        kind=kind,
        calls=calls,
        errors={"EAGAIN": figures["eagain"]} if "eagain" in figures else {},
        bytes=figures.get("bytes_", 0),
        total_ns=total,
        wait_ns=wait,
        runq_ns=runq,
        copy_ns=copy,
        kernel_ns=kernel,
        copy_estimated=kind in ("pipe", "file"),
        latency_ns=Percentiles(mean // 2, mean, mean * 4, mean * 8, mean * 11, spread(mean, calls))
        if calls
        else None,
        waits_ns=phase(wait, calls),
        copies_ns=phase(copy, calls),
        in_flight=figures.get("in_flight", 0),
    )


def event_loop() -> Report:
    """uvicorn on asyncio: one loop over 412 connections, a small pool behind it."""
    main = replace(
        thread(
            41234, "uvicorn", 10 * S, user=3120 * MS, kernel=1410 * MS, copy=61 * MS,
            runq=84 * MS, file=3 * MS, lock=12 * MS, poll=0,
        ),
        switches=Switches(18_204, 1_377),
        syscalls=310_511,
    )  # fmt: skip
    pool = [
        replace(
            thread(41240 + number, "asyncio_" + str(number), 10 * S, user=9 * MS * number,
                   kernel=number * MS, runq=40 * US, file=number * 2 * MS, lock=0),
            switches=Switches(211 * number + 1, number),
            syscalls=977 * number + 1,
        )
        for number in range(3)
    ]  # fmt: skip
    process = Process(
        pid=41234,
        parent=1,
        name="uvicorn",
        cmdline=(
            "/srv/shop/.venv/bin/python3", "-m", "uvicorn", "shop.app:app",
            "--host", "0.0.0.0", "--port", "8000", "--log-level", "warning",
        ),
        python="3.11.2",
        started_ns=0,
        ended_ns=None,
        model=Model(
            id="epoll",
            title="Event loop on epoll, level-triggered",
            confidence=0.97,
            evidence=(
                "99.7 % of its wait is in epoll_wait",
                "412 descriptors watched, all level-triggered",
                "0 ms blocked in recv",
            ),
        ),
        threads=(main, *pool),
        calls=_event_loop_calls(),
        descriptors=_event_loop_descriptors(),
        loops=(
            Loop(
                tid=41234, multiplexer="epoll_wait", trigger="level", watched=412,
                iterations=48_611, empty=1_203, timeouts=97, ready=Ready(2.03, 64),
                busy_ns=Quantiles(71 * US, 1_930 * US, 204 * MS, spread(71 * US, 48_611)),
                zero_timeout=1_106,
                wait_ns=5310 * MS, busy_total_ns=4660 * MS,
                stalls=Stalls(
                    count=23, total_ns=3870 * MS, cpu_ns=3797 * MS, runq_ns=61 * MS,
                    wait_ns={"file": 12 * MS, "recv": 0},
                    worst=StallCall("pread64", "file", 423, 3 * MS),
                ),
            ),
        ),
    )  # fmt: skip
    delays = spread(60 * US, 2_309, coarse=True)
    process = replace(process, pickup_ns=Pickup(2_309, 44 * US, 2 * MS, 203 * MS, delays))
    return _report((process,), (_stall(),))


def _event_loop_calls() -> tuple[Call, ...]:
    main = 41234
    return (
        call(main, "epoll_wait", "", 48_611, wait_ns=5310 * MS, runq_ns=70 * MS,
             kernel_ns=203 * MS),
        call(main, "recvfrom", "tcp", 98_713, eagain=1_009, bytes_=51 * MIB, copy_ns=61 * MS,
             kernel_ns=190 * MS),
        call(main, "sendto", "tcp", 97_704, bytes_=388 * MIB, kernel_ns=905 * MS),
        call(main, "accept4", "tcp", 831, eagain=419, kernel_ns=8 * MS),
        call(main, "epoll_ctl", "", 1_236, kernel_ns=2 * MS),
        replace(
            call(main, "close", "", 412, kernel_ns=5 * MS),
            errors={"EBADF": 2, "EIO": 1},
        ),
        *(
            call(41240 + number, "futex", "", 211 * number, wait_ns=10 * S - 12 * number * MS,
                 kernel_ns=300 * US, in_flight=1)
            for number in range(3)
        ),
        call(41241, "pread64", "file", 211, bytes_=13 * MIB, wait_ns=2 * MS, copy_ns=800 * US),
        call(41242, "pread64", "file", 422, bytes_=26 * MIB, wait_ns=4 * MS, copy_ns=1630 * US),
    )  # fmt: skip


def _event_loop_descriptors() -> tuple[Descriptor, ...]:
    listening = Descriptor(
        fd=6, kind="tcp", local="0.0.0.0:8000", peer="", nonblocking=True, calls=831,
        bytes_in=0, bytes_out=0, wait_ns=0, copy_ns=0, pickup_ns=None, eagain=419,
    )  # fmt: skip
    connections = (
        Descriptor(
            fd=9 + number,
            kind="tcp",
            local="10.20.0.7:8000",
            peer=f"192.168.117.{number % 250}:{40_000 + number * 7}",
            nonblocking=True,
            calls=477 + number % 5,
            bytes_in=130 * KIB - 311 * number,
            bytes_out=986 * KIB,
            wait_ns=0,
            copy_ns=(412 - number) * 359,
            pickup_ns=Pickup(238, (31 + number) * US, 1_870 * US, 204 * MS),
        )
        for number in range(412)
    )
    return (
        listening,
        *connections,
        Descriptor(
            fd=422, kind="unix", local="", peer="/run/postgresql/.s.PGSQL.5432", nonblocking=True,
            calls=2_309, bytes_in=3 * MIB, bytes_out=411 * KIB, wait_ns=0, copy_ns=904 * US,
            pickup_ns=Pickup(2_309, 44 * US, 2 * MS, 203 * MS),
        ),
        Descriptor(
            fd=423, kind="file", local="/srv/shop/static/catalogue/2025/large-picture.jpg",
            peer="", nonblocking=False, calls=633, bytes_in=39 * MIB, bytes_out=0,
            wait_ns=6 * MS, copy_ns=2430 * US, pickup_ns=None, opened=211, copy_estimated=True,
        ),
    )  # fmt: skip


def _stall() -> Finding:
    return Finding(
        id="IO103",
        severity="high",
        title="A blocking part of a turn stops the event loop",
        pid=41234,
        tid=41234,
        fd=None,
        evidence={"turns_over_50_ms": 23, "longest_ns": 204 * MS, "on_cpu_ratio": 0.981},
        advice=(
            "Move the work out of the loop's thread: await loop.run_in_executor(None, work), "
            "or a process pool where it holds the GIL."
        ),
        cost_ns=3_870 * MS,
        lines=("basket.py:88 total -> computing: 23 times, 3.87 s, 204 ms at most",),
    )


def process(**parts: object) -> Process:
    """A process with nothing in it but the given parts."""
    empty = Process(
        pid=700, parent=1, name="python3", cmdline=(), python=None, started_ns=0, ended_ns=None,
        model=None, threads=(), calls=(), descriptors=(), loops=(),
    )  # fmt: skip
    return replace(empty, **parts)  # type: ignore[arg-type]


def report(*processes: Process, findings: tuple[Finding, ...] = ()) -> Report:
    """A report of these processes, traced for 10 s, with nothing lost."""
    return _report(processes, findings)


def thread_pool(workers: int) -> Report:
    """A threading server: each thread blocks in recv; the acceptor polls."""
    acceptor = thread(700, "python3", 10 * S, user=40 * MS, kernel=31 * MS, runq=MS, poll=0)
    pool = [
        replace(
            thread(701 + number, f"Thread-{number + 1}", (9_990 - number) * MS,
                   user=(300 - number) * MS, kernel=97 * MS, copy=3 * MS, runq=41 * MS,
                   lock=(number % 9) * 110 * MS, recv=0),
            syscalls=9_001,
        )
        for number in range(workers)
    ]  # fmt: skip
    calls = [
        call(701 + number, "recvfrom", "tcp", 3_001 - number, bytes_=3 * MIB,
             wait_ns=9 * S - number * 10 * MS, runq_ns=30 * MS, copy_ns=3 * MS, kernel_ns=20 * MS,
             in_flight=1)
        for number in range(workers)
    ]  # fmt: skip
    calls.append(call(700, "poll", "", 21, wait_ns=9 * S, kernel_ns=MS))
    process = Process(
        pid=700, parent=1, name="python3", cmdline=("python3", "server.py"), python="3.13.1",
        started_ns=0, ended_ns=None, model=None, threads=(acceptor, *pool), calls=tuple(calls),
        descriptors=(), loops=(),
    )  # fmt: skip
    return _report((process,), ())


def prefork(workers: int) -> Report:
    """gunicorn: an idle master and ``workers`` blocking workers, each with one thread."""
    processes = [
        Process(
            pid=900 + number, parent=900 if number else 1, name="gunicorn",
            cmdline=("gunicorn", "app:app", "-w", str(workers)), python="3.12.8", started_ns=0,
            ended_ns=None, model=None,
            threads=(
                thread(900 + number, "gunicorn", 10 * S, user=number * 11 * MS,
                       kernel=number * 2 * MS, **{"accept" if number else "poll": 0}),
            ),
            calls=(call(900 + number, "accept4", "tcp", number, wait_ns=9 * S, in_flight=1),),
            descriptors=(), loops=(),
        )
        for number in range(workers + 1)
    ]  # fmt: skip
    return _report(tuple(processes), ())


def idle() -> Report:
    """One process that slept in accept all along."""
    process = Process(
        pid=55, parent=1, name="idle", cmdline=("python3", "idle.py"), python=None, started_ns=0,
        ended_ns=None, model=None, threads=(thread(55, "idle", 10 * S, accept=0),),
        calls=(call(55, "accept4", "tcp", 0, wait_ns=10 * S, in_flight=1),), descriptors=(),
        loops=(),
    )  # fmt: skip
    return _report((process,), ())


def hostile() -> Report:
    """Every text that a process has a say in is an attack."""
    findings = []
    processes = []
    for number, text in enumerate(HOSTILE, start=1):
        one = thread(number, text, S, user=number * MS, recv=0)
        model = Model(text, text, 0.5, (text, text))
        processes.append(
            Process(
                pid=number, parent=None, name=text, cmdline=(text, text), python=text,
                started_ns=0, ended_ns=S, model=model, threads=(replace(one, model=model),),
                calls=(
                    replace(call(number, text, text, 7, wait_ns=MS), errors={text: 1}),
                    replace(call(number, text, text, 5, wait_ns=MS), tid=0),
                ),
                descriptors=(
                    Descriptor(3, text, text, text, None, 1, 1, 1, 1, 1, None, opened=3),
                    Descriptor(4, text, text, "", None, 1, 1, 1, 1, 1, None),
                ),
                loops=(
                    Loop(number, text, None, None, 1, 0, 0, Ready(0.5, 1), None,
                         stalls=Stalls(1, 5, 2, 1, {text: 2}, StallCall(text, text, None, 2))),
                ),
                operations=(Operation(text, 1, {text: 1}, 1, Quantiles(1, 2, 3)),),
                signals=(Signal(number, text, 1),),
                lines=(
                    Line(number, text, text, None, 1, 0, MS, MS, 0, 0, MS, 0,
                         (Frame(text, text, 1, True), Frame(text, text, None, True))),
                ),
                cpu_samples=(
                    CpuSample(number, 7, MS, 1, 2, 3, 1,
                              (Frame(text, text, 1, True), Frame(text, text, None, True))),
                ),
                requests=(requests(text, text, text),),
                upstreams=(upstream(text, text, text),),
            )
        )  # fmt: skip
        findings.append(
            Finding(text, "low", text, number, 1, 2, {text: text, "x_ns": 5}, text, None, (text,))
        )
    report = _report(tuple(processes), tuple(findings))
    return replace(
        report,
        iotrace=HOSTILE[0],
        started_at=HOSTILE[1],
        host=Host(HOSTILE[2], HOSTILE[3], 2),
        quality=replace(report.quality, unavailable={HOSTILE[0]: HOSTILE[1]}, notes=HOSTILE),
    )


def _report(processes: tuple[Process, ...], findings: tuple[Finding, ...]) -> Report:
    return Report(
        schema=SCHEMA,
        iotrace="0.1.0",
        started_at="2025-11-23T08:07:11Z",
        duration_ns=10 * S,
        host=Host(kernel="6.18.0", machine="x86_64", cpus=2),
        processes=processes,
        findings=findings,
        quality=Quality(
            lost=Lost(),
            unaccounted_ratio=0.0,
            in_flight=3,
            tracer_cpu_ns=41 * MS,
            probe_ns=None,
            kernel_memory_bytes=9 * MIB,
            unavailable={"probe_ns": "kernel.bpf_stats_enabled is 0"},
        ),
    )

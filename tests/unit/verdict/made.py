"""Hand-made processes, as servers of each kind leave them in a report: ten seconds of tracing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from iotrace.report.detail import Detail
from iotrace.report.model import (
    Call,
    Descriptor,
    Loop,
    Model,
    OpenSockets,
    Percentiles,
    Pickup,
    Process,
    Quantiles,
    Ready,
    Report,
    Signal,
    States,
    Switches,
    Thread,
)
from iotrace.report.stacks import Frame, InCall, Line
from iotrace.verdict.judge import judge
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.found import Found, by_rule
from tests.unit import reports

US, MS, S = 1_000, 1_000_000, 1_000_000_000
PID = 700
LENGTH_NS = 10 * S


def thread(tid: int = PID, *, switches: int = 997, runq: int = 0, **times: int) -> Thread:
    """Its states are the times given (``user``, ``kernel``, ``copy``, waits by reason)."""
    wait = {**dict.fromkeys(WAIT_REASONS, 0)}
    own = {name: times.pop(name, 0) for name in ("user", "kernel", "copy")}
    started, ended, count = (times.pop(name, 0) for name in ("started", "ended", "count"))
    wait.update(times)
    return Thread(
        tid=tid,
        name="python3",
        lifetime_ns=sum(own.values()) + runq + sum(wait.values()),
        states_ns=States(**own, runq=runq, unaccounted=0, wait=wait),
        switches=Switches(switches, 13),
        syscalls=times.get("syscalls", 5_003),
        started_ns=started,
        ended_ns=ended or None,
        count=count or 1,
    )


def call(name: str, kind: str, calls: int, **figures: Any) -> Call:
    """Errors by name, waits and bytes as given."""
    wait, kernel = figures.get("wait", 0), figures.get("kernel", 0)
    longest = figures.get("longest", wait)
    return Call(
        tid=figures.get("tid", PID),
        syscall=name,
        kind=kind,
        calls=calls,
        errors=figures.get("errors", {}),
        bytes=figures.get("bytes", 0),
        total_ns=wait + kernel,
        wait_ns=wait,
        runq_ns=0,
        copy_ns=0,
        kernel_ns=kernel,
        copy_estimated=False,
        latency_ns=Percentiles(longest, longest, longest, longest, longest),
        filled=figures.get("filled", 0),
    )


def line(name: str, kind: str, fd: int, calls: int, **figures: Any) -> Line:
    """Slow calls at server.py:8; ``times``: how long each took."""
    times = figures.get("times")
    total = figures.get("total", calls * (times.p50 if times else 0))
    functions = figures.get("functions", ("fetch",))
    return Line(
        tid=figures.get("tid", PID),
        syscall=name,
        kind=kind,
        fd=fd,
        calls=calls,
        in_flight=figures.get("in_flight", 0),
        total_ns=total,
        wait_ns=total,
        runq_ns=0,
        copy_ns=0,
        max_ns=times.max if times else total,
        own=len(functions) - 1,
        stack=tuple(Frame(one, figures.get("file", "/srv/server.py"), 8) for one in functions),
        latency_ns=times,
    )


def loop(name: str = "epoll_wait", iterations: int = 1_009, **figures: Any) -> Loop:
    """A loop that is told of data in each iteration, unless the figures say otherwise."""
    busy = figures.get("busy", 100 * US)
    return Loop(
        tid=figures.get("tid", PID),
        multiplexer=name,
        trigger=figures.get("trigger", "level"),
        watched=figures.get("watched", 17),
        iterations=iterations,
        empty=figures.get("empty", 0),
        timeouts=figures.get("timeouts", 0),
        ready=Ready(1.0, 3),
        busy_ns=Quantiles(figures.get("busy_p50", busy), busy, busy),
        zero_timeout=figures.get("zero_timeout", 0),
        unserved=figures.get("unserved", 0),
        wait_ns=figures.get("wait", 9 * S),
        stalls=figures.get("stalls"),
        data_iterations=figures.get("data", iterations),
        eager_reads=figures.get("eager", 0),
        nfds_max=figures.get("nfds", 0),
    )


def descriptor(fd: int, **figures: Any) -> Descriptor:
    """A connection of a server that listens on port 8000."""
    pickup = figures.get("pickup")
    return Descriptor(
        fd=fd,
        kind=figures.get("kind", "tcp"),
        local=figures.get("local", "127.0.0.1:8000"),
        peer=figures.get("peer", f"127.0.0.1:{40_000 + fd}"),
        nonblocking=figures.get("nonblocking", True),
        calls=figures.get("calls", 101),
        bytes_in=figures.get("bytes_in", 1_000),
        bytes_out=figures.get("bytes_out", 1_000),
        wait_ns=figures.get("wait", 0),
        copy_ns=0,
        pickup_ns=Pickup(*pickup) if pickup else None,
        opened=figures.get("opened", 1),
        unread_ns=figures.get("unread"),
        polled_ns=figures.get("polled", 0),
    )


def process(
    threads: Iterable[Thread],
    calls: Iterable[Call] = (),
    loops: Iterable[Loop] = (),
    descriptors: Iterable[Descriptor] = (),
    **parts: Any,
) -> Process:
    """A process that was there all along."""
    return Process(
        pid=parts.get("pid", PID),
        parent=parts.get("parent", 1),
        name="python3",
        cmdline=("python3", "server.py"),
        python="3.11.2",
        started_ns=parts.get("started", 0),
        ended_ns=parts.get("ended"),
        model=None,
        threads=tuple(threads),
        calls=tuple(calls),
        descriptors=tuple(descriptors),
        loops=tuple(loops),
        operations=parts.get("operations", ()),
        signals=parts.get("signals", ()),
        count=parts.get("count", 1),
        sockets=OpenSockets(None),
    )


def sigio(count: int) -> tuple[Signal, ...]:
    """Signals that tell of data."""
    return (Signal(PID, "SIGIO", count),)


def listener(pending: int = 0) -> OpenSockets:
    """Its one socket accepts connections on port 8000."""
    return OpenSockets(1, ("127.0.0.1:8000",), pending, 0)


def judged(*processes: Process, detail: Detail = Detail.FULL) -> Report:
    """The report of these processes, with its verdict."""
    whole = replace(reports.report(*processes), duration_ns=LENGTH_NS, detail=detail.value)
    return judge(whole)


def model_of(*processes: Process, pid: int = PID) -> Model:
    """The label of one of them."""
    found = next(one.model for one in judged(*processes).processes if one.pid == pid)
    assert found is not None
    return found


def findings(*processes: Process, pending: int = 0) -> Found:
    """What is wrong, by rule: causes and symptoms."""
    known = [
        one
        if one.sockets and one.sockets.count is not None
        else replace(one, sockets=listener(pending))
        for one in processes
    ]
    return by_rule(judged(*known).findings)


def event_loop(**figures: Any) -> Process:
    """A healthy event loop on epoll; ``figures`` are its loop's."""
    return process(
        [thread(user=600 * MS, kernel=300 * MS, poll=9_100 * MS)],
        [
            call("recvfrom", "tcp", 1_009, bytes=50_000),
            call("sendto", "tcp", 1_009),
            call("epoll_wait", "", 1_009, wait=9_100 * MS),
        ],
        [loop(**figures)],
        [descriptor(7), descriptor(8)],
    )


def blocking(wait: int = 9_500 * MS, **threads: int) -> Process:
    """A single thread that reads, blocks, answers."""
    times = {"user": 300 * MS, "kernel": 200 * MS, "recv": wait, **threads}
    return process(
        [thread(**times)],
        [
            call("accept4", "tcp", 3),
            call("recvfrom", "tcp", 503, wait=wait, bytes=50_000),
            call("sendto", "tcp", 503),
        ],
        (),
        [descriptor(7, nonblocking=False, wait=wait)],
    )


LIBRARY = "/usr/lib/python3.11"


def stack(*places: str) -> tuple[Frame, ...]:
    """Frames, innermost first: "app.py:8 handle", "lib/queue.py:171 Queue.get" of the library."""
    frames = []
    for place in places:
        where, function = place.split(" ")
        file, line = where.rsplit(":", 1)
        known = file.startswith("lib/")
        path = f"{LIBRARY}/{file.removeprefix('lib/')}" if known else f"/srv/{file}"
        frames.append(Frame(function, path, int(line)))
    return tuple(frames)


def own_place(frames: tuple[Frame, ...]) -> int:
    """Place of the innermost frame that is no library's."""
    return next((i for i, one in enumerate(frames) if not one.file.startswith(LIBRARY)), 0)


def in_call(syscall: str, kind: str, *places: str, **figures: Any) -> InCall:
    """A call that a thread has been in all along."""
    frames = stack(*places)
    return InCall(
        syscall=syscall,
        kind=kind,
        fd=figures.get("fd"),
        peer=figures.get("peer", ""),
        since_ns=figures.get("since", 0),
        wait_ns=figures.get("wait", LENGTH_NS),
        object=figures.get("object", ""),
        others=figures.get("others", ()),
        own=own_place(frames),
        stack=frames,
    )


def line_of(call: InCall, calls: int, wait: int, longest: int, tid: int = PID) -> Line:
    """The slow calls of one stack."""
    return Line(
        tid, call.syscall, call.kind, call.fd, calls, 0, wait, wait, 0, 0, longest, call.own,
        call.stack,
    )  # fmt: skip

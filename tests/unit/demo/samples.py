"""Reports of one server, as far as the demo looks at them."""

from __future__ import annotations

from dataclasses import replace

from iotrace.servers.load_plan import LoadResult, Times

from iotrace.report.model import (
    Call,
    Descriptor,
    Host,
    Loop,
    Lost,
    Operation,
    Pickup,
    Process,
    Quality,
    Ready,
    Report,
    Signal,
    States,
    Switches,
    Thread,
)
from iotrace.vocabulary.waits import WAIT_REASONS

PID = 4711


def thread(
    tid: int = PID,
    *,
    cpu_ns: int = 0,
    copy_ns: int = 0,
    runq_ns: int = 0,
    wait_ns: int = 0,
    voluntary: int = 0,
    involuntary: int = 0,
    syscalls: int = 0,
    count: int = 1,
) -> Thread:
    waits = {**dict.fromkeys(WAIT_REASONS, 0), "recv": wait_ns}
    return Thread(
        tid=tid,
        name="python3",
        lifetime_ns=cpu_ns + copy_ns + runq_ns + wait_ns,
        states_ns=States(cpu_ns, 0, copy_ns, runq_ns, 0, waits),
        switches=Switches(voluntary, involuntary),
        syscalls=syscalls,
        count=count,
    )


def call(
    syscall: str,
    calls: int,
    *,
    tid: int = PID,
    kind: str = "tcp",
    octets: int = 0,
    wait_ns: int = 0,
    copy_ns: int = 0,
    kernel_ns: int = 0,
    eagain: int = 0,
) -> Call:
    return Call(
        tid=tid,
        syscall=syscall,
        kind=kind,
        calls=calls,
        errors={"EAGAIN": eagain} if eagain else {},
        bytes=octets,
        total_ns=wait_ns + copy_ns + kernel_ns,
        wait_ns=wait_ns,
        runq_ns=0,
        copy_ns=copy_ns,
        kernel_ns=kernel_ns,
        copy_estimated=False,
        latency_ns=None,
    )


def descriptor(
    fd: int = 4, *, pickup: Pickup | None = None, unread_ns: int | None = None
) -> Descriptor:
    return Descriptor(
        fd=fd,
        kind="tcp",
        local="",
        peer="",
        nonblocking=None,
        calls=0,
        bytes_in=0,
        bytes_out=0,
        wait_ns=0,
        copy_ns=0,
        pickup_ns=pickup,
        unread_ns=unread_ns,
    )


def loop(multiplexer: str, iterations: int, *, unserved: int = 0) -> Loop:
    return Loop(
        tid=PID,
        multiplexer=multiplexer,
        trigger="level",
        watched=2,
        iterations=iterations,
        empty=0,
        timeouts=0,
        ready=Ready(1.0, 1),
        busy_ns=None,
        unserved=unserved,
    )


def process(
    *threads: Thread,
    calls: tuple[Call, ...] = (),
    descriptors: tuple[Descriptor, ...] = (),
    loops: tuple[Loop, ...] = (),
    operations: tuple[Operation, ...] = (),
    signals: tuple[Signal, ...] = (),
    pid: int = PID,
    parent: int | None = 1,
    count: int = 1,
) -> Process:
    return Process(
        pid=pid,
        parent=parent,
        name="python3",
        cmdline=(),
        python=None,
        started_ns=0,
        ended_ns=None,
        model=None,
        threads=threads or (thread(),),
        calls=calls,
        descriptors=descriptors,
        loops=loops,
        operations=operations,
        signals=signals,
        count=count,
    )


def report(*processes: Process, duration_ns: int = 10**9) -> Report:
    return Report(
        schema="",
        iotrace="",
        started_at="",
        duration_ns=duration_ns,
        host=Host("6.18", "x86_64", 2),
        processes=processes,
        findings=(),
        quality=Quality(Lost(), 0.0, 0, 0, None),
    )


def blocking(requests: int = 10) -> Report:
    """A blocking server: 20 ms of wait, 2 us of copy, 40 us of CPU time a request."""
    return report(
        process(
            thread(
                cpu_ns=40_000 * requests,
                copy_ns=2_000 * requests,
                runq_ns=30_000 * requests,
                wait_ns=20_000_000 * requests,
                voluntary=requests,
                involuntary=3,
                syscalls=2 * requests,
            ),
            calls=(
                call(
                    "recvfrom",
                    requests,
                    octets=84 * requests,
                    wait_ns=20_000_000 * requests,
                    copy_ns=2_000 * requests,
                ),
                call("sendto", requests, octets=84 * requests),
            ),
            descriptors=(descriptor(pickup=Pickup(requests, 40_000, 90_000, 95_000)),),
        )
    )


def result(requests: int = 10, connections: int = 1, **changes: object) -> LoadResult:
    plain = LoadResult(
        connections=connections,
        requests=requests,
        bytes=84 * requests,
        duration_ns=10**9,
        requests_per_second=float(requests),
        latency_ns=Times(requests, 100_000, 200_000, 300_000, 400_000),
        connect_ns=Times(connections, 50_000, 50_000, 50_000, 50_000),
        cpu_ns=1_000_000,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]

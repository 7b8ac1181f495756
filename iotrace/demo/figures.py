# SPDX-License-Identifier: Apache-2.0
"""What one run comes to for each request: the figures that the models are compared by."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from iotrace.output.units import format_duration
from iotrace.report.model import Call, Loop, Pickup, Process, Report, Thread
from iotrace.servers.load_plan import LoadResult
from iotrace.vocabulary.calls import ACCEPTS, LOCKS, MULTIPLEXERS, READS
from iotrace.vocabulary.kinds import STREAMS
from iotrace.vocabulary.operations import RING_READS


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over the server's processes and threads, and over ``requests`` answered requests.

    ``wait_ns``, ``runq_ns``, ``copy_ns`` and ``waits`` (by system call, "" outside any) are those
    of the threads that read requests: an acceptor that only waits for clients is not in them, nor
    are waits in an accept.
    ``read_calls``: calls that brought data; ``read_bytes`` by those, ``operation_bytes`` by
    io_uring. ``multiplexer_ns``: time on a CPU in ``multiplexer_calls`` calls.
    """

    requests: int
    calls: int
    voluntary: int
    involuntary: int
    cpu_ns: int
    wait_ns: int
    runq_ns: int
    copy_ns: int
    waits: dict[str, int]
    servants: str
    pickup: Pickup | None
    eagain: int
    read_calls: int
    read_bytes: int
    operation_bytes: int
    multiplexer_calls: int
    multiplexer_ns: int
    processes: int
    threads: int
    signals: dict[str, int]

    @property
    def asleep_in(self) -> tuple[str, float]:
        """The call with the longest wait and its share of the threads' waits; ("", 0.0): none."""
        total_ns = sum(self.waits.values())
        if not total_ns:
            return "", 0.0
        syscall = max(self.waits, key=lambda name: self.waits[name])
        return syscall, self.waits[syscall] / total_ns

    @property
    def synchronous(self) -> bool | None:
        """Whether the data came by calls that copy it while their caller waits.

        Stevens, UNIX Network Programming, vol. 1, 6.2: synchronous I/O blocks the requesting
        process until it is complete. None: no data came.
        """
        if not self.read_bytes and not self.operation_bytes:
            return None
        return self.read_bytes > self.operation_bytes


def figures(report: Report, requests: int) -> Figures:
    """The figures of a report that holds one server's processes only."""
    calls = [(process, call) for process in report.processes for call in process.calls]
    threads = [(process, thread) for process in report.processes for thread in process.threads]
    serving = _serving(calls)
    servants = [(p, t) for p, t in threads if (id(p), t.tid) in serving or not serving]
    waits: Counter[str] = Counter()
    for process, call in calls:
        served = (id(process), call.tid) in serving or not serving
        if call.wait_ns and served and call.syscall not in ACCEPTS:
            waits[call.syscall] += call.wait_ns
    received = [call for _, call in calls if _brings_data(call)]
    multiplexed = [call for _, call in calls if call.syscall in MULTIPLEXERS]
    return Figures(
        requests=requests,
        calls=sum(thread.syscalls or 0 for _, thread in threads),
        voluntary=sum(thread.switches.voluntary for _, thread in threads),
        involuntary=sum(thread.switches.involuntary for _, thread in threads),
        cpu_ns=sum(_cpu_ns(thread) for _, thread in threads),
        wait_ns=sum(_wait_ns(thread) for _, thread in servants),
        runq_ns=sum(thread.states_ns.runq for _, thread in servants),
        copy_ns=sum(thread.states_ns.copy or 0 for _, thread in servants),
        waits=dict(waits),
        servants=_named(report.processes, servants),
        pickup=_pickup(report.processes),
        eagain=sum((call.errors or {}).get("EAGAIN", 0) for _, call in calls),
        read_calls=sum(call.calls or 0 for call in received),
        read_bytes=sum(call.bytes or 0 for call in received),
        operation_bytes=sum(
            operation.bytes
            for process in report.processes
            for operation in process.operations
            if operation.op in RING_READS
        ),
        multiplexer_calls=sum(call.calls or 0 for call in multiplexed),
        multiplexer_ns=sum(call.kernel_ns or 0 for call in multiplexed),
        processes=sum(process.count for process in report.processes),
        threads=sum(thread.count for _, thread in threads),
        signals=_signals(report.processes),
    )


def _brings_data(call: Call) -> bool:
    return call.syscall in READS and call.kind in STREAMS and (call.bytes or 0) > 0


def _serving(calls: Iterable[tuple[Process, Call]]) -> set[tuple[int, int]]:
    return {(id(process), call.tid) for process, call in calls if _brings_data(call)}


def _cpu_ns(thread: Thread) -> int:
    states = thread.states_ns
    return (states.user or 0) + (states.kernel or 0) + (states.copy or 0)


def _wait_ns(thread: Thread) -> int:
    return sum(wait_ns for why, wait_ns in thread.states_ns.wait.items() if why != "accept")


def _named(processes: Iterable[Process], servants: list[tuple[Process, Thread]]) -> str:
    """Who serves: "child" processes, other "threads" than the first, or the "main" thread."""
    roots = {process.pid for process in processes if process.pid}
    if all(p.parent in roots or not p.pid for p, _ in servants):
        return "child"
    return "main" if all(t.tid == p.pid for p, t in servants) else "thread"


def _pickup(processes: Iterable[Process]) -> Pickup | None:
    """Of all descriptors: the median of their medians, weighted by count; p99 is the worst."""
    found = [d.pickup_ns for process in processes for d in process.descriptors if d.pickup_ns]
    if not found:
        return None
    medians = sorted((pickup.p50, pickup.count) for pickup in found)
    counts = list(accumulate(count for _, count in medians))
    return Pickup(
        count=counts[-1],
        p50=medians[bisect_left(counts, counts[-1] / 2)][0],
        p99=max(pickup.p99 for pickup in found),
        max=max(pickup.max for pickup in found),
    )


def _signals(processes: Iterable[Process]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for process in processes:
        for one in process.signals:
            counts[one.signal] += one.count
    return dict(counts)


def lock_wait_ns(waits: dict[str, int]) -> int:
    """What of the waits was for locks (in Python, as a rule, the interpreter's own)."""
    return sum(wait_ns for syscall, wait_ns in waits.items() if syscall in LOCKS)


@dataclass(frozen=True, slots=True)
class Run:
    """What there is to speak of. ``variant``: the teaching case, "" for none."""

    model: str
    variant: str
    report: Report
    figures: Figures
    result: LoadResult

    def each(self, total: int) -> float:
        """A sum's share of one request."""
        return total / max(self.figures.requests, 1)

    def duration(self, total_ns: int) -> str:
        """A time's share of one request, in words."""
        return format_duration(self.each(total_ns))

    @property
    def loops(self) -> list[Loop]:
        """The multiplexer's rows, most iterations first."""
        found = [loop for process in self.report.processes for loop in process.loops]
        return sorted(found, key=lambda loop: -(loop.iterations or 0))

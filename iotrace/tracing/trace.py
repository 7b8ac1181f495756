# SPDX-License-Identifier: Apache-2.0
"""One trace: probes attached, processes entered, a report at any moment."""

from __future__ import annotations

import contextlib
import gc
import struct
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import TracebackType

from iotrace.engine.constants import Counter
from iotrace.engine.features import absent_features
from iotrace.engine.image_source import ImageSource
from iotrace.engine.map_limits import Limits
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.host import read_host
from iotrace.report.model import Report
from iotrace.report_builder.build import Circumstances, build_report
from iotrace.snapshot.facts import FactBook
from iotrace.snapshot.reader import SnapshotReader
from iotrace.snapshot.recycler import Recycler
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.stack_book import StackBook
from iotrace.snapshot.task_book import TaskBook
from iotrace.snapshot.timeline import Event, TimelineReader
from iotrace.tracing.start import Start
from iotrace.verdict.judge import judge

MIN_LATENCY_NS = 1_000_000
"""Walking a stack costs about a thousandth of that."""


@contextlib.contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Without cyclic garbage collection: a snapshot of 20,000 descriptors is many objects, none of
    them garbage, and to look through them took a third of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class Trace:
    """A trace in progress. Use as a context manager: leaving it detaches the probes."""

    def __init__(
        self,
        limits: Limits,
        absent: frozenset[str] | None = None,
        min_latency_ns: int = MIN_LATENCY_NS,
        *,
        start: Start | None = None,
        keeps_ended: bool = True,
    ) -> None:
        """Compile and attach; nothing is followed yet. Raises what Probes.attach raises.

        ``absent``: features to treat as if they were not there; None: those of IOTRACE_ABSENT.
        ``min_latency_ns``: calls that take as long get their Python stack (if ``limits.python``).
        ``start``: of a trace that has begun (with these limits), and is ours from here on.
        ``keeps_ended``: False for a trace without an end, see ``discard_ended``.
        """
        begun = start is not None
        if start is None:
            start = Start(ImageSource(limits, absent_features() if absent is None else absent))
        self._start = start
        self._keeps_ended = keeps_ended
        self.probes = self._start.probes
        self.started_at, self.started_ns = self._start.started_at, self._start.started_ns
        self.complete_ns = self.started_ns
        """When all that is wanted was seen of the first processes: lines come later than time."""
        with contextlib.ExitStack() as ends:
            ends.callback(self._start.close)
            if not begun:
                self.probes.settle()  # who begins like this may fork, or drop privileges, next
            self._begin(min_latency_ns, ends)
            self._ends = ends.pop_all()

    def _begin(self, min_latency_ns: int, ends: contextlib.ExitStack) -> None:
        """All that reads the probes' records, and the recorders of what they say."""
        snapshots = SnapshotReader(self.probes, self.started_ns)
        self._recycler = Recycler(self.probes, snapshots, self.started_ns)
        self._timeline = TimelineReader(self.probes) if self.probes.has_map("timeline") else None
        if self._timeline:
            ends.callback(self._timeline.close)
        self._roots, self._table = self._start.roots, self._start.table
        self._polls = not all(
            self.probes.has_probe(name) for name in ("task_newtask", "sched_process_exec")
        )
        has_python = self.probes.has_map("pythons")
        self._stacks = (
            StackBook(self.probes, min_latency_ns, self._start.reader) if has_python else None
        )
        self._tasks = TaskBook(self._start.reader) if has_python else None
        self._book = FactBook(self._start.reader, self._start.cpu_limits)
        self._ports: set[int] = set()
        self._alive: frozenset[int] = frozenset()
        self._seen = (-1, -1)
        self._host = read_host()
        self._memory, self._memory_until_ns = 0, 0
        if self._start.entered:
            self._meet(self._start.entered)
            self.complete_ns = time.monotonic_ns()

    def follow(self, pid: int, children: bool) -> None:
        """Trace a running process (and its children). Raises NoSuchProcess."""
        self._meet(self._start.follow(pid, children))

    def _meet(self, entered: tuple[int, ...]) -> None:
        """What else there is to know of processes that have been entered."""
        self._seen = (-1, -1)
        # Without kept probes the compiler may be at it for so long that the ring buffer overflows.
        self.probes.settle(self._timeline.keep if self._timeline else None)
        if self._stacks:
            self._stacks.poll(entered)
        self._book.look(entered, sockets=True)
        listening = [self._book.listening_ports(pid) for pid in entered]
        self._ports |= {port for ports in listening for port in ports or ()}
        self.probes.listen_on(self._ports)
        if None not in listening:  # else any port may be of a process that did not tell
            self.probes.leave_ports(self._start.listening - self._ports)
            self._start.listening.clear()

    def follow_at_exec(self, pid: int, children: bool) -> None:
        """Trace a process from the moment it replaces itself by another program.

        Where nothing tells of that moment, from now on.
        """
        if not self.probes.has_probe("sched_process_exec"):
            self.follow(pid, children)
            return
        self.probes.settle()
        self.complete_ns = time.monotonic_ns()
        self._roots[pid] = children
        self.probes.follow(pid, children)

    def processes_alive(self) -> frozenset[int]:
        """The traced processes that have a living thread; new ones are met on the way.

        Costs next to nothing while no thread begins or ends.
        """
        if self._polls:
            self._find_new()
        self.probes.watch_skipped_runs()
        seen = self.probes.counters[Counter.STARTED], self.probes.counters[Counter.ENDED]
        if seen != self._seen:
            self._seen = seen
            before = self._alive
            self._alive, ended = self._living_and_ended()
            if not self._keeps_ended:
                self._start.forget(before - self._alive)
            self._book.meet(self._alive - before)
            # Also those that were born and ended since we last looked: else their entries stay.
            for pid in before - self._alive | ended:
                self.probes.forget(pid)
            if self._stacks:
                self._stacks.forget(before - self._alive)
            if self._tasks:
                self._tasks.forget(ended)
            self._start.reader.forget(before - self._alive | ended)
            self._book.forget(self._recycler.recycle(self._roots))
        if self._stacks:
            self._stacks.poll(self._alive)
        if self._tasks:
            self._tasks.poll(self._alive, time.monotonic_ns())
        return self._alive

    def _find_new(self) -> None:
        """Nothing tells of new threads and children here: look whether there are any."""
        for pid in {*self._roots, *self._alive}:
            try:
                self._table.enter(pid, self._roots.get(pid, True), running=False)
            except (NoSuchProcess, PermissionDenied):
                continue
            except Unsupported as error:
                self._table.left_out[pid] = error.what

    def calls_seen(self) -> int:
        """System calls made so far by all traced threads; without full detail, sleeps in calls."""
        offset = self.probes.threads.layout.fields["syscalls"].offset
        records = self.probes.threads.read_all(self.probes.used(Counter.THREADS))
        return sum(struct.unpack_from("<Q", raw, offset)[0] for _, raw in records)

    def timeline(self, on: bool) -> None:
        """Stream single events from now on, or stop; needs ``Limits.timeline_pages``."""
        self.probes.counters[Counter.TIMELINE_ON] = int(on)

    def events(self) -> tuple[Event, ...]:
        """The events streamed since the last call, in the order of time."""
        return self._timeline.take() if self._timeline else ()

    def packed_events(self) -> bytes:
        """The events streamed since the last call, as a recording keeps them."""
        return self._timeline.take_packed() if self._timeline else b""

    def opened(self) -> Iterator[tuple[int, int, int]]:
        """Process, descriptor and inode of what was open at the last look."""
        for pid, facts in self._book.all().items():
            for fd, descriptor in facts.descriptors.items():
                if descriptor.inode is not None:
                    yield pid, fd, descriptor.inode

    @_collector_at_rest()
    def snapshot(self) -> Snapshot:
        """The totals up to now."""
        snapshot = self._recycler.take()
        if self._stacks is None:
            return snapshot
        self._stacks.poll(self.processes_alive())
        return self._stacks.complete(snapshot)

    def discard_ended(self, snapshot: Snapshot) -> Snapshot:
        """Forget what has ended, once it has been reported; the snapshot to subtract next."""
        return snapshot if self._keeps_ended else self._recycler.discard(snapshot)

    def look(self, *, sockets: bool = True) -> None:
        """Ask /proc what the living processes have open, and where their sockets lead to."""
        self._book.look(self.processes_alive(), sockets=sockets)

    @_collector_at_rest()
    def report(self, snapshot: Snapshot, *, judged: bool = True) -> Report:
        """The report of a snapshot, or of the difference of two; ``judged``: with a verdict."""
        circumstances = Circumstances(
            started_at=self.started_at + self._since_start(snapshot.from_ns),
            host=self._host,
            facts=self._book.all(),
            call_names=self.probes.call_names,
            stacks=self._stacks.stacks() if self._stacks else {},
            unavailable=self._unavailable(),
            natives=self._stacks.natives(snapshot) if self._stacks else {},
            remarks=tuple(self._stacks.remarks()) if self._stacks else (),
            tracer_cpu_ns=self._start.spent_ns(),
            kernel_memory_bytes=self._memory_bytes(),
            detail=self.probes.limits.detail,
            tasks=self._tasks.all() if self._tasks else {},
        )
        report = build_report(snapshot, circumstances)
        return judge(report) if judged else report

    def _memory_bytes(self) -> int:
        """Asked anew after a second: each map costs a system call, and little changes."""
        now_ns = time.monotonic_ns()
        if now_ns >= self._memory_until_ns:
            self._memory, self._memory_until_ns = self.probes.memory_bytes(), now_ns + 10**9
        return self._memory

    def _since_start(self, at_ns: int) -> timedelta:
        return timedelta(microseconds=(at_ns - self.started_ns) // 1000)

    def _unavailable(self) -> Mapping[str, str]:
        return {
            **self.probes.unavailable,
            **self._untold(),
            **(self._stacks.reasons() if self._stacks else {}),
            **self._start.reader.reasons(),
            "probe_ns": "measuring the probes' own time would slow each of them",
        }

    def _untold(self) -> dict[str, str]:
        told = {f"some threads of process {pid}": why for pid, why in self._table.left_out.items()}
        if not self._table.untold:
            return told
        reason = self._table.untold_reason or "/proc has no PID/task/TID/syscall here"
        return told | {"calls in progress at attach": reason}

    def _living_and_ended(self) -> tuple[frozenset[int], frozenset[int]]:
        """The processes in the table with a living thread, and those without."""
        layout = self.probes.threads.layout
        pid_at, ended_at = layout.fields["pid"].offset, layout.fields["ended_ns"].offset
        living: set[int] = set()
        ended: set[int] = set()
        for _, raw in self.probes.threads.read_all(self.probes.used(Counter.THREADS)):
            pid = struct.unpack_from("<I", raw, pid_at)[0]
            if pid:
                (ended if struct.unpack_from("<Q", raw, ended_at)[0] else living).add(pid)
        return frozenset(living), frozenset(ended - living)

    def __enter__(self) -> Trace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.close()

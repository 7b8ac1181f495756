# SPDX-License-Identifier: Apache-2.0
"""The report: one tree of frozen dataclasses, which is the JSON schema ``iotrace.report/2``.

Field names are the JSON keys. Units are in the names: ``_ns`` nanoseconds, ``_bytes`` bytes.
A figure that is not known is ``None``, with its reason in ``Quality.unavailable``; never 0. Sums
over rows are over what was seen: there a figure that is ``None`` adds 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from iotrace.report.detail import Detail
from iotrace.report.event_loops import Loop as Loop
from iotrace.report.event_loops import Ready as Ready
from iotrace.report.event_loops import ReadyWatch as ReadyWatch
from iotrace.report.event_loops import StallCall as StallCall
from iotrace.report.event_loops import Stalls as Stalls
from iotrace.report.requests import Requests as Requests
from iotrace.report.requests import RequestTier as RequestTier
from iotrace.report.requests import SlowRequest as SlowRequest
from iotrace.report.requests import Upstream as Upstream
from iotrace.report.requests import Workers as Workers
from iotrace.report.stacks import CpuSample, InCall, Line, Wake
from iotrace.report.surroundings import Connected as Connected
from iotrace.report.surroundings import FileLockWait as FileLockWait
from iotrace.report.surroundings import GroupLimits as GroupLimits
from iotrace.report.surroundings import Listener as Listener
from iotrace.report.surroundings import OpenSockets as OpenSockets
from iotrace.report.surroundings import Silent as Silent
from iotrace.report.surroundings import Unsent as Unsent
from iotrace.report.task_waits import TaskWait as TaskWait
from iotrace.report.task_waits import TaskWaits as TaskWaits
from iotrace.report.times import Bucket as Bucket
from iotrace.report.times import Durations as Durations
from iotrace.report.times import Percentiles as Percentiles
from iotrace.report.times import Phase as Phase
from iotrace.report.times import Pickup as Pickup
from iotrace.report.times import Quantiles as Quantiles

SCHEMA = "iotrace.report/2"


@dataclass(frozen=True, slots=True)
class Host:
    """The machine that was traced."""

    kernel: str
    machine: str
    cpus: int


@dataclass(frozen=True, slots=True)
class Model:
    """An I/O model named from behaviour; ``evidence`` is a list of sentences with figures.

    ``confidence`` is 0 to 1, see docs/models.md; ``shape``: how threads and processes share the
    work ("event loop", "thread per connection", ...), "" where it has none.
    """

    id: str
    title: str
    confidence: float
    evidence: tuple[str, ...] = ()
    shape: str = ""


@dataclass(frozen=True, slots=True)
class States:
    """The ledger of one thread: those that are not None add up to its ``lifetime_ns``.

    ``wait`` has every reason of ``WAIT_REASONS``; one that a file lacks is 0. ``cpu``: on a CPU,
    where it is not known in which of the states that are None (light detail); None where all of
    them are known.
    """

    user: int | None
    kernel: int | None
    copy: int | None
    runq: int
    unaccounted: int
    wait: dict[str, int]
    cpu: int | None = None

    @property
    def on_cpu(self) -> int:
        """All time on a CPU: known in every detail."""
        return (self.cpu or 0) + (self.user or 0) + (self.kernel or 0) + (self.copy or 0)


@dataclass(frozen=True, slots=True)
class Switches:
    """Context switches, as in ``/proc/PID/status``."""

    voluntary: int
    involuntary: int


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread. ``lifetime_ns`` is its wall time while it was traced.

    ``count`` > 1: this row adds up that many threads that have ended (``tid`` is then 0).
    ``started_ns``: since the trace's beginning; 0: it ran before.
    ``in_call``: the call that it was in at the end; None: it was in none, or had ended.
    ``idle_ns``: of the waits in its states, by reason: while no request was in its hands. None: it
    has read none, or cannot be told: it answers requests that other threads have read, or several
    at once on a connection.
    ``requests``: that it has read; None: not known (light detail).
    """

    tid: int
    name: str
    lifetime_ns: int
    states_ns: States
    switches: Switches
    syscalls: int | None
    model: Model | None = None
    started_ns: int = 0
    ended_ns: int | None = None
    count: int = 1
    in_call: InCall | None = None
    idle_ns: dict[str, int] | None = None
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One system call of one thread on one kind of descriptor.

    ``total_ns`` = wait + runq + copy + kernel. ``errors`` maps errno names to counts.
    ``kind`` is "tcp", "udp", "unix", "pipe", "file", "eventfd", "tty", ... or "" (no descriptor).
    ``filled``: reads that returned as many bytes as they asked for.
    ``gil_ns``: the GIL tax, the time that its threads waited for Python's GIL to come back from it,
    and how often they had to, ``gil_waits``.
    ``in_flight`` calls had not returned at the end: their time is in, they are not in ``calls``.
    ``waits_ns``: of the calls that slept, how long each did; ``copies_ns``: of those that copied.
    ``sleeps``: times that the thread slept in it; ``slept_ns``: how long, with the run queue after
    it. Both are counted where the calls themselves are not seen (light detail), else None.
    """

    tid: int
    syscall: str
    kind: str
    calls: int | None
    errors: dict[str, int] | None
    bytes: int | None
    total_ns: int | None
    wait_ns: int
    runq_ns: int
    copy_ns: int | None
    kernel_ns: int | None
    copy_estimated: bool
    latency_ns: Percentiles | None
    in_flight: int = 0
    filled: int | None = 0
    gil_waits: int | None = 0
    gil_ns: int | None = 0
    waits_ns: Phase | None = None
    copies_ns: Phase | None = None
    sleeps: int | None = None
    slept_ns: Percentiles | None = None

    @property
    def eagain(self) -> int | None:
        """Calls that would have had to wait, and were told so; None: errors are not seen."""
        return None if self.errors is None else self.errors.get("EAGAIN", 0)

    @property
    def failed(self) -> int | None:
        """Calls that failed in any other way; None: errors are not seen."""
        if self.errors is None:
            return None
        return sum(count for name, count in self.errors.items() if name != "EAGAIN")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One descriptor number of one process. ``opened``: how many objects had that number.

    ``unread_ns``: data has been lying on it unread for that long at the end, None: it has not.
    ``polled_ns``: asleep in a poll of it alone, as sockets with a timeout are waited for.
    ``sleeps``: as in ``Call``. ``unread_bytes``: data that lay in the receive queue of the socket,
    and ``pending`` connections in the accept queue, at the end; None: it is no such socket, or the
    kernel did not say. ``file_system``: of a file that was waited for, its type and where it is
    mounted ("ext4 at / from /dev/vda1"), "": not known. ``unsent_bytes`` were to be sent or
    acknowledged at the end. Of TCP connections open then (of many, those with the most unsent data;
    None: not known): ``nodelay``, TCP_NODELAY; ``retransmits`` segments sent again; the time that
    the peer's window had no room, ``window_closed_ns``, at the end for ``window_shut_ns`` or more.
    """

    fd: int
    kind: str
    local: str
    peer: str
    nonblocking: bool | None
    calls: int | None
    bytes_in: int | None
    bytes_out: int | None
    wait_ns: int
    copy_ns: int | None
    pickup_ns: Pickup | None
    opened: int = 1
    copy_estimated: bool = False
    eagain: int | None = 0
    unread_ns: int | None = None
    polled_ns: int = 0
    sleeps: int | None = None
    unread_bytes: int | None = None
    pending: int | None = None
    file_system: str = ""
    unsent_bytes: int | None = None
    nodelay: bool | None = None
    retransmits: int | None = None
    window_closed_ns: int | None = None
    window_shut_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """Asynchronous operations (io_uring) of one kind."""

    op: str
    count: int
    errors: dict[str, int]
    bytes: int
    submit_to_complete_ns: Quantiles | None

    @property
    def failed(self) -> int:
        """Those that failed."""
        return sum(self.errors.values())


@dataclass(frozen=True, slots=True)
class Signal:
    """Signals delivered to one thread."""

    tid: int
    signal: str
    count: int


@dataclass(frozen=True, slots=True)
class Process:
    """One traced process and all that is known of it.

    ``summary``: one sentence on where its time goes. ``outcome``: what can be said of it and the
    processes that descend from it where nothing was found in any of them; "": something was, or
    the sentence stands with the process that they descend from.
    ``count`` > 1 with ``pid`` 0: the ended child processes of ``parent``, added up.
    ``pickup_ns``: of all its descriptors together.
    ``sockets`` None: samples of a recording, and files of older versions, do not keep them.
    ``cpu_samples``: where its threads were on a CPU, the most first; () where none was taken, and
    in samples of a recording.
    ``limits`` None: not known. ``major_faults``: page faults that waited for storage while it was
    traced (proc_pid_stat(5)); None: not known.
    ``file_lock_waits``: at the end.
    ``workers``: of a parent, the sum of its worker processes; None: it has none.
    ``tasks``: where its asyncio tasks wait; None: it has none that could be read.
    """

    pid: int
    parent: int | None
    name: str
    cmdline: tuple[str, ...]
    python: str | None
    started_ns: int
    ended_ns: int | None
    model: Model | None
    threads: tuple[Thread, ...]
    calls: tuple[Call, ...]
    descriptors: tuple[Descriptor, ...]
    loops: tuple[Loop, ...]
    operations: tuple[Operation, ...] = ()
    signals: tuple[Signal, ...] = ()
    count: int = 1
    summary: str = ""
    outcome: str = ""
    lines: tuple[Line, ...] = ()
    wakes: tuple[Wake, ...] = ()
    pickup_ns: Pickup | None = None
    sockets: OpenSockets | None = None
    limits: GroupLimits | None = None
    major_faults: int | None = None
    file_lock_waits: tuple[FileLockWait, ...] = ()
    cpu_samples: tuple[CpuSample, ...] = ()
    requests: tuple[Requests, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    workers: Workers | None = None
    tasks: TaskWaits | None = None


@dataclass(frozen=True, slots=True)
class Symptom:
    """What a finding brings about: what another rule has found, which goes when the cause goes.

    The fields are a ``Finding``'s; ``cost_ns`` is within the cause's, or follows from it: the two
    are not to be added.
    """

    id: str
    severity: str
    title: str
    pid: int
    tid: int | None
    fd: int | None
    evidence: dict[str, float | int | str]
    cost_ns: int | None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, what shows it, how to fix it; a rule with a stable id.

    ``lines``: the Python lines that it is about, the costliest first, each with what was done
    there, how often and for how long; () where no stack was kept. ``symptoms``: what follows from
    it, the costliest first; none of them is a finding beside it.
    """

    id: str
    severity: str
    title: str
    pid: int
    tid: int | None
    fd: int | None
    evidence: dict[str, float | int | str]
    advice: str
    cost_ns: int | None
    lines: tuple[str, ...] = ()
    symptoms: tuple[Symptom, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """What the kernel side could not keep. All zero in a complete report.

    ``threads``, ``calls``, ``descriptors``, ``loops``, ``stacks``: no room left in that table;
    ``requests``: listeners and peers of which nothing could be counted for lack of room;
    ``probes``: probe runs that the kernel skipped (recursion); ``ring``: ring buffer events.
    """

    ring: int = 0
    threads: int = 0
    calls: int = 0
    descriptors: int = 0
    loops: int = 0
    probes: int = 0
    stacks: int = 0
    requests: int = 0

    @property
    def total(self) -> int:
        """All losses together."""
        return sum(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class Quality:
    """How far the figures can be trusted."""

    lost: Lost
    unaccounted_ratio: float
    in_flight: int
    tracer_cpu_ns: int
    probe_ns: int | None
    unavailable: dict[str, str] = field(default_factory=dict)
    kernel_memory_bytes: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What recordings hold, what is compared, what every output prints.

    ``interval``: the number (1, 2, ...) of the interval that it is of; None: the whole trace.
    ``detail``: how much was looked at, see ``Detail``; ``unchecked``: ids of the findings that it
    could not look for, not knowing the figures that show them.
    ``judged_by``: the version of iotrace whose rules gave the verdict, in a report that was read
    from a file; "" in that of a trace, which is judged by the version that traced.
    """

    schema: str
    iotrace: str
    started_at: str
    duration_ns: int
    host: Host
    processes: tuple[Process, ...]
    findings: tuple[Finding, ...]
    quality: Quality
    interval: int | None = None
    detail: str = Detail.FULL.value
    unchecked: tuple[str, ...] = ()
    judged_by: str = ""

    @property
    def can_be_judged(self) -> bool:
        """Whether all that the rules need is kept: files of older versions lack some figures."""
        return all(process.sockets is not None for process in self.processes)

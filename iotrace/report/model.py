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
from iotrace.report.rows import Call as Call
from iotrace.report.rows import Descriptor as Descriptor
from iotrace.report.rows import Model as Model
from iotrace.report.rows import Operation as Operation
from iotrace.report.rows import Signal as Signal
from iotrace.report.rows import States as States
from iotrace.report.rows import Switches as Switches
from iotrace.report.rows import Thread as Thread
from iotrace.report.stacks import CpuSample, Line, Wake
from iotrace.report.surroundings import Connected as Connected
from iotrace.report.surroundings import FileLockWait as FileLockWait
from iotrace.report.surroundings import GroupLimits as GroupLimits
from iotrace.report.surroundings import InheritedConnection as InheritedConnection
from iotrace.report.surroundings import LeftByClients as LeftByClients
from iotrace.report.surroundings import Listener as Listener
from iotrace.report.surroundings import OneSided as OneSided
from iotrace.report.surroundings import OpenSockets as OpenSockets
from iotrace.report.surroundings import Overflowed as Overflowed
from iotrace.report.surroundings import Silent as Silent
from iotrace.report.surroundings import UnreadPipe as UnreadPipe
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
    ``unread_pipes``: at the end.
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
    unread_pipes: tuple[UnreadPipe, ...] = ()


SEVERITIES = ("high", "medium", "low")
"""Of findings, worst first."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """What a finding brings about: what another rule has found, which goes when the cause goes.

    The fields are a ``Finding``'s; ``cost_ns`` is within the cause's, or follows from it: the two
    are not to be added. ``same_wait``: no effect of the cause, but the same wait, at the same line,
    as another rule sees it.
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
    same_wait: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, what shows it, how to fix it; a rule with a stable id.

    ``lines``: the Python lines that it is about, the costliest first, each with what was done
    there, how often and for how long; () where no stack was kept. ``symptoms``: what follows from
    it, the costliest first; none of them is a finding beside it. ``cost_ns``: of findings that were
    told together (``processes`` or ``places`` in the evidence) what all of them cost; the one named
    has cost ``costs_here_ns`` of it. What processes share is counted once.
    ``cost_kind``: what that time was, "wait" (asleep, or queued), "cpu" (on a CPU), or "time" (of
    both, or not known, as in older versions). ``requests_ns``: that of the requests that it is part
    of, from their first read to their answer; null: it is told as a part of the time traced.
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
    cost_kind: str = "time"
    requests_ns: int | None = None


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

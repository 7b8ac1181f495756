# SPDX-License-Identifier: Apache-2.0
"""What the kernel had counted at one moment, with what was still in flight charged up to then.

Raw totals, keyed by who they belong to. Two snapshots of one trace subtract: see arithmetic.py.
How a field adds and subtracts is said in its type: see merging.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from iotrace.pystack.walk import Sleeper
from iotrace.snapshot import histogram
from iotrace.snapshot.exchanges import (
    NO_EXCHANGES,
    EndpointKey,
    EndpointTotals,
    ExchangeStates,
)
from iotrace.snapshot.merging import (
    Counts,
    Histogram,
    Maximum,
    Members,
    NamedCounts,
    OfProcesses,
    OfThreads,
    Owner,
    State,
    Total,
    at_maximum,
    count_unlike,
    maximum_of,
    mergeable,
    owned_tables,
)
from iotrace.snapshot.task_note import TaskNote
from iotrace.vocabulary.waits import WAIT_REASONS


class ThreadKey(NamedTuple):
    """One thread, also after its tid was given to another.

    ``tid`` 0: the ended threads of ``pid``, added up. ``pid`` negative: the ended child processes
    of process ``-pid``, added up.
    """

    pid: int
    tid: int
    started_ns: int


@mergeable
@dataclass(frozen=True, slots=True)
class ThreadTotals:
    """The ledger of one thread up to ``at_ns``; ``wait_ns`` by index in WAIT_REASONS.

    ``idle_ns``: of ``wait_ns``, while no request was in its hands. ``taken``: requests that it has
    read; ``untold``: of those, and of those that others have read, how many say that it may have
    had a request in hand without being known to.
    ``count``: how many threads were added up here; ``processes``: how many of them were the first
    thread of their process. ``found``: it ran already when its process was first followed.
    """

    parent_pid: State[int]
    name: State[str]
    ended_ns: State[int | None]
    at_ns: State[int]
    lifetime_ns: Total
    user_ns: Total
    kernel_ns: Total
    copy_ns: Total
    runq_ns: Total
    unaccounted_ns: Total
    wait_ns: Histogram
    voluntary: Total
    involuntary: Total
    syscalls: Total
    count: Members = 1
    processes: Members = 0
    found: State[bool] = False
    taken: Total = 0
    untold: Total = 0
    idle_ns: Histogram = (0,) * len(WAIT_REASONS)


@mergeable
@dataclass(frozen=True, slots=True)
class CallTotals:
    """One system call of one thread on one kind of descriptor.

    ``latency``, ``wait`` and ``copy`` are histograms: of the calls, of those that slept at all, of
    those that copied. Where calls are not seen ``latency`` is one of ``sleeps``, and ``max_ns`` the
    longest of them.
    """

    calls: Total
    eagain: Total
    errors: Counts
    bytes: Total
    wait_ns: Total
    runq_ns: Total
    copy_ns: Total
    kernel_ns: Total
    max_ns: Annotated[int, maximum_of("latency")]
    estimated: Total
    in_flight: State[int]
    latency: Histogram
    wait: Histogram
    copy: Histogram
    filled: Total = 0
    gil_waits: Total = 0
    gil_ns: Total = 0
    sleeps: Total = 0


@mergeable
@dataclass(frozen=True, slots=True)
class DescriptorTotals:
    """One descriptor number as used by one thread. Addresses are raw, as the kernel keeps them."""

    opened: Annotated[int, count_unlike("inode")]
    open_flags: State[int]
    inode: State[int]
    family: State[int]
    local: State[bytes]
    local_port: State[int]
    peer: State[bytes]
    peer_port: State[int]
    calls: Total
    eagain: Total
    bytes_in: Total
    bytes_out: Total
    wait_ns: Total
    copy_ns: Total
    estimated: Total
    pickups: Total
    pickup_max_ns: Annotated[int, maximum_of("pickup")]
    pickup: Histogram
    unread_since_ns: State[int | None] = None
    polled_ns: Total = 0
    sleeps: Total = 0


@mergeable
@dataclass(frozen=True, slots=True)
class LoopTotals:
    """One thread's use of one multiplexer; ``busy`` is a histogram."""

    epoll_fd: State[int]
    iterations: Total
    empty: Total
    timeouts: Total
    zero_timeout: Total
    unserved: Total
    data_iterations: Total
    eager_reads: Total
    ready_sum: Total
    ready_max: Maximum
    nfds_max: State[int]
    watched: State[int]
    wait_ns: Total
    busy_sum_ns: Total
    busy_max_ns: Annotated[int, maximum_of("busy")]
    stalls: Total
    stall_ns: Total
    stall_cpu_ns: Total
    stall_runq_ns: Total
    stall_call_ns: Maximum
    stall_call_nr: Annotated[int, at_maximum("stall_call_ns")]
    stall_call_fd: Annotated[int, at_maximum("stall_call_ns")]
    stall_call_kind: Annotated[str, at_maximum("stall_call_ns")]
    stall_wait_ns: Histogram
    busy: Histogram
    sleeps: Total = 0


@mergeable
@dataclass(frozen=True, slots=True)
class OperationTotals:
    """Asynchronous operations of one process and opcode."""

    completed: Total
    errors: Total
    bytes: Total
    max_ns: Annotated[int, maximum_of("submit_to_complete")]
    submit_to_complete: Histogram


@mergeable
@dataclass(frozen=True, slots=True)
class LineTotals:
    """Slow calls from one Python stack; ``fd`` and ``tid`` are those of the latest.

    ``latency``: a histogram of them, without those in flight. ``path``: that of the longest, of
    calls that take one; "": not known.
    """

    calls: Total
    total_ns: Total
    wait_ns: Total
    runq_ns: Total
    copy_ns: Total
    max_ns: Maximum
    fd: State[int]
    tid: State[int]
    in_flight: State[int] = 0
    task: State[TaskNote | None] = None
    latency: Histogram = (0,) * histogram.LINE_BUCKETS
    path: State[str] = ""


@mergeable
@dataclass(frozen=True, slots=True)
class StallCauseTotals:
    """Stalls of one loop that one Python stack is to be blamed for; ``fd``: of the latest."""

    stalls: Total
    total_ns: Total
    cpu_ns: Total
    runq_ns: Total
    gil_ns: Total
    call_ns: Total
    max_ns: Maximum
    fd: State[int]
    task: State[TaskNote | None] = None


@mergeable
@dataclass(frozen=True, slots=True)
class WakeTotals:
    """Slow waits for locks that were ended from one Python stack; ``tid``: of the latest waker."""

    calls: Total
    wait_ns: Total
    max_ns: Maximum
    tid: State[int]


@mergeable
@dataclass(frozen=True, slots=True)
class SampleTotals:
    """How often a clock found threads on a CPU with one Python stack (or: they took a major page
    fault). ``in_calls``: in a system call; ``collecting``: the garbage collector ran;
    ``tid``: of the latest."""

    count: Total
    in_calls: Total
    collecting: Total
    tid: State[int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thread in the middle of a call: what is to be added for it.

    ``entry_ns``: when it began (CLOCK_MONOTONIC), 0: before the thread was traced. ``sleeper``:
    what it sleeps on, None where nobody looked; ``stack``: the hash of its Python stack, 0:
    none.
    """

    thread: ThreadKey
    number: int
    kind: str
    fd: int
    total_ns: int
    wait_ns: int
    runq_ns: int
    copy_ns: int
    entry_ns: int = 0
    sleeper: Sleeper | None = None
    stack: int = 0


@mergeable
@dataclass(frozen=True, slots=True)
class Losses:
    """What the kernel side could not keep, and where it kept a part only.

    ``skipped_runs``: by the probe's function.
    """

    threads: Total = 0
    calls: Total = 0
    descriptors: Total = 0
    loops: Total = 0
    errors: Total = 0
    operations: Total = 0
    skipped_runs: NamedCounts = field(default_factory=dict)
    undated_events: Total = 0
    untold_connections: Total = 0
    repaired_calls: Total = 0
    unknown_results: Total = 0
    long_vectors: Total = 0
    events: Total = 0
    stacks: Total = 0
    endpoints: Total = 0


CallKey = tuple[ThreadKey, int, str]
"""thread, system call number (CALL_OTHER for those not listed), kind"""
DescriptorKey = tuple[ThreadKey, int, str]
"""thread, fd, kind"""
LoopKey = tuple[ThreadKey, int]
"""thread, system call number"""
LineKey = tuple[int, int, int, str]
"""pid, the hash of a Python stack, system call number, kind"""
WakeKey = tuple[int, int, int, str]
"""pid, the hashes of the Python stacks of waiter and waker (0: not known), kind"""
SampleKey = tuple[int, int, int]
"""pid, the hash of a Python stack (0: not kept), what: engine.constants.Sample"""
CodeKey = tuple[int, int, int]
"""pid, the hash of a Python stack, the page of machine code that ran"""
StallCauseKey = tuple[ThreadKey, int, str, int, int, str]
"""thread, the loop's system call, cause, the hash of a Python stack; blocking call and kind"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All totals at ``at_ns`` (CLOCK_MONOTONIC); ``from_ns`` is when counting began."""

    from_ns: int
    at_ns: int
    threads: OfThreads[ThreadKey, ThreadTotals] = field(default_factory=dict)
    calls: OfThreads[CallKey, CallTotals] = field(default_factory=dict)
    descriptors: OfThreads[DescriptorKey, DescriptorTotals] = field(default_factory=dict)
    loops: OfThreads[LoopKey, LoopTotals] = field(default_factory=dict)
    operations: OfProcesses[tuple[int, int], OperationTotals] = field(default_factory=dict)
    signals: OfThreads[tuple[ThreadKey, int], int] = field(default_factory=dict)
    losses: Losses = Losses()
    lines: OfProcesses[LineKey, LineTotals] = field(default_factory=dict)
    wakes: OfProcesses[WakeKey, WakeTotals] = field(default_factory=dict)
    stall_causes: OfThreads[StallCauseKey, StallCauseTotals] = field(default_factory=dict)
    samples: OfProcesses[SampleKey, SampleTotals] = field(default_factory=dict)
    stall_code: OfProcesses[CodeKey, int] = field(default_factory=dict)
    """Samples of what stalled loops."""
    endpoints: OfProcesses[EndpointKey, EndpointTotals] = field(default_factory=dict)
    exchanges: ExchangeStates = NO_EXCHANGES
    waiting: tuple[Waiting, ...] = ()
    folded: Mapping[ThreadKey, ThreadKey] = field(default_factory=dict)
    """Threads of earlier snapshots that have ended, and the sum that holds them now."""


TABLES: Mapping[str, Owner] = owned_tables(Snapshot)
"""The fields of a Snapshot that hold totals by key, and whose they are."""

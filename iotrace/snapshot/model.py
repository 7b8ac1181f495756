"""What the kernel had counted at one moment, with what was still in flight charged up to then.

Raw totals, keyed by who they belong to. Two snapshots of one trace subtract: see arithmetic.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class ThreadKey(NamedTuple):
    """One thread, also after its tid was given to another.

    ``tid`` 0: the ended threads of ``pid``, added up. ``pid`` negative: the ended child processes
    of process ``-pid``, added up.
    """

    pid: int
    tid: int
    started_ns: int


@dataclass(frozen=True, slots=True)
class ThreadTotals:
    """The ledger of one thread up to ``at_ns``; ``wait_ns`` by index in WAIT_REASONS.

    ``count``: how many threads were added up here; ``processes``: how many of them were the first
    thread of their process. ``found``: it ran already when its process was first followed.
    """

    parent_pid: int
    name: str
    ended_ns: int | None
    at_ns: int
    lifetime_ns: int
    user_ns: int
    kernel_ns: int
    copy_ns: int
    runq_ns: int
    unaccounted_ns: int
    wait_ns: tuple[int, ...]
    voluntary: int
    involuntary: int
    syscalls: int
    count: int = 1
    processes: int = 0
    found: bool = False


@dataclass(frozen=True, slots=True)
class CallTotals:
    """One system call of one thread on one kind of descriptor.

    ``latency``, ``wait`` and ``copy`` are histograms: of the calls, of those that slept at all, of
    those that copied. Where calls are not seen ``latency`` is one of ``sleeps``, and ``max_ns`` the
    longest of them.
    """

    calls: int
    eagain: int
    errors: Mapping[int, int]
    bytes: int
    wait_ns: int
    runq_ns: int
    copy_ns: int
    kernel_ns: int
    max_ns: int
    estimated: int
    in_flight: int
    latency: tuple[int, ...]
    wait: tuple[int, ...]
    copy: tuple[int, ...]
    filled: int = 0
    gil_waits: int = 0
    gil_ns: int = 0
    sleeps: int = 0


@dataclass(frozen=True, slots=True)
class DescriptorTotals:
    """One descriptor number as used by one thread. Addresses are raw, as the kernel keeps them."""

    opened: int
    open_flags: int
    inode: int
    family: int
    local: bytes
    local_port: int
    peer: bytes
    peer_port: int
    calls: int
    eagain: int
    bytes_in: int
    bytes_out: int
    wait_ns: int
    copy_ns: int
    estimated: int
    pickups: int
    pickup_max_ns: int
    pickup: tuple[int, ...]
    unread_since_ns: int | None = None
    polled_ns: int = 0
    sleeps: int = 0


@dataclass(frozen=True, slots=True)
class LoopTotals:
    """One thread's use of one multiplexer; ``busy`` is a histogram."""

    epoll_fd: int
    iterations: int
    empty: int
    timeouts: int
    zero_timeout: int
    unserved: int
    data_iterations: int
    eager_reads: int
    ready_sum: int
    ready_max: int
    nfds_max: int
    watched: int
    wait_ns: int
    busy_sum_ns: int
    busy_max_ns: int
    stalls: int
    stall_ns: int
    stall_cpu_ns: int
    stall_runq_ns: int
    stall_call_ns: int
    stall_call_nr: int
    stall_call_fd: int
    stall_call_kind: str
    stall_wait_ns: tuple[int, ...]
    busy: tuple[int, ...]
    sleeps: int = 0


@dataclass(frozen=True, slots=True)
class OperationTotals:
    """Asynchronous operations of one process and opcode."""

    completed: int
    errors: int
    bytes: int
    max_ns: int
    submit_to_complete: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LineTotals:
    """Slow calls from one Python stack; ``fd`` and ``tid`` are those of the latest."""

    calls: int
    total_ns: int
    wait_ns: int
    runq_ns: int
    copy_ns: int
    max_ns: int
    fd: int
    tid: int
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class CulpritTotals:
    """Stalls of one loop that one Python stack is to be blamed for; ``fd``: of the latest."""

    stalls: int
    total_ns: int
    cpu_ns: int
    runq_ns: int
    gil_ns: int
    call_ns: int
    max_ns: int
    fd: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thread in the middle of a call: what is to be added for it."""

    thread: ThreadKey
    number: int
    kind: str
    fd: int
    total_ns: int
    wait_ns: int
    runq_ns: int
    copy_ns: int


@dataclass(frozen=True, slots=True)
class Losses:
    """What the kernel side could not keep, and where it kept a part only."""

    threads: int = 0
    calls: int = 0
    descriptors: int = 0
    loops: int = 0
    errors: int = 0
    operations: int = 0
    skipped_runs: int = 0
    undated_events: int = 0
    long_vectors: int = 0
    events: int = 0
    stacks: int = 0


CallKey = tuple[ThreadKey, int, str]
"""thread, system call number (CALL_OTHER for those not listed), kind"""
DescriptorKey = tuple[ThreadKey, int, str]
"""thread, fd, kind"""
LoopKey = tuple[ThreadKey, int]
"""thread, system call number"""
LineKey = tuple[int, int, int, str]
"""pid, the hash of a Python stack, system call number, kind"""
CulpritKey = tuple[ThreadKey, int, str, int, int, str]
"""thread, the loop's system call, cause, the hash of a Python stack; blocking call and kind"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All totals at ``at_ns`` (CLOCK_MONOTONIC); ``from_ns`` is when counting began."""

    from_ns: int
    at_ns: int
    threads: Mapping[ThreadKey, ThreadTotals] = field(default_factory=dict)
    calls: Mapping[CallKey, CallTotals] = field(default_factory=dict)
    descriptors: Mapping[DescriptorKey, DescriptorTotals] = field(default_factory=dict)
    loops: Mapping[LoopKey, LoopTotals] = field(default_factory=dict)
    operations: Mapping[tuple[int, int], OperationTotals] = field(default_factory=dict)
    signals: Mapping[tuple[ThreadKey, int], int] = field(default_factory=dict)
    losses: Losses = Losses()
    lines: Mapping[LineKey, LineTotals] = field(default_factory=dict)
    culprits: Mapping[CulpritKey, CulpritTotals] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    folded: Mapping[ThreadKey, ThreadKey] = field(default_factory=dict)
    """Threads of earlier snapshots that have ended, and the sum that holds them now."""

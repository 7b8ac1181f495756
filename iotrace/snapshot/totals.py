# SPDX-License-Identifier: Apache-2.0
"""What the kernel had counted at one moment, with what was still in flight charged up to then.

Raw totals, keyed by who they belong to. Two snapshots of one trace subtract: see arithmetic.py.
How a field adds and subtracts is said in its type: see merging.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from iotrace.pystack.walk import Sleeper
from iotrace.snapshot.merging import (
    Counts,
    Histogram,
    Maximum,
    Members,
    NamedCounts,
    State,
    Total,
    at_maximum,
    count_unlike,
    maximum_of,
    mergeable,
)
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


NO_LOSSES = Losses()
CallKey = tuple[ThreadKey, int, str]
"""thread, system call number (CALL_OTHER for those not listed), kind"""
DescriptorKey = tuple[ThreadKey, int, str]
"""thread, fd, kind"""
LoopKey = tuple[ThreadKey, int]
"""thread, system call number"""

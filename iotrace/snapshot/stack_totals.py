# SPDX-License-Identifier: Apache-2.0
"""What the kernel had counted for Python stacks: lines, wake-ups, samples, causes of stalls."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.snapshot import histogram
from iotrace.snapshot.merging import Histogram, Maximum, State, Total, mergeable
from iotrace.snapshot.task_note import TaskNote
from iotrace.snapshot.totals import ThreadKey

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

# SPDX-License-Identifier: Apache-2.0
"""Sums over the rows of a process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from iotrace.report.model import Process, Thread


@dataclass(frozen=True, slots=True)
class ProcessTotals:
    """All threads of a process together. ``syscalls`` None: not counted in this detail.

    ``wait_ns``: time asleep by reason.
    """

    threads: int
    syscalls: int | None
    lifetime_ns: int
    on_cpu_ns: int
    runq_ns: int
    wait_ns: Mapping[str, int]

    @property
    def awake_ns(self) -> int:
        """Running or ready to run."""
        return self.on_cpu_ns + self.runq_ns

    @property
    def asleep_ns(self) -> int:
        """Asleep, for any reason."""
        return sum(self.wait_ns.values())


def totals_of(process: Process) -> ProcessTotals:
    """The sums over the threads of a process."""
    threads = process.threads
    counts = [thread.syscalls for thread in threads if thread.syscalls is not None]
    wait_ns: Counter[str] = Counter()
    for thread in threads:
        wait_ns.update(thread.states_ns.wait)
    return ProcessTotals(
        threads=sum(thread.count for thread in threads),
        syscalls=sum(counts) if len(counts) == len(threads) else None,
        lifetime_ns=sum(thread.lifetime_ns for thread in threads),
        on_cpu_ns=sum(thread.states_ns.on_cpu for thread in threads),
        runq_ns=sum(thread.states_ns.runq for thread in threads),
        wait_ns=wait_ns,
    )


def awake_ns(thread: Thread) -> int:
    """Time that a thread was not asleep: running or ready to run."""
    return thread.states_ns.on_cpu + thread.states_ns.runq


def asleep_ns(thread: Thread) -> int:
    """Time that a thread was asleep, for any reason."""
    return sum(thread.states_ns.wait.values())


def signals_of(process: Process) -> int:
    """Signals delivered to all threads of a process."""
    return sum(signal.count for signal in process.signals)


def operations_of(process: Process) -> int:
    """Asynchronous operations of all kinds."""
    return sum(operation.count for operation in process.operations)

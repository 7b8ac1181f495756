"""What the scheduler itself says of a thread: the independent check of the ledger."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from iotrace.report.model import Thread


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Sums since the thread was born: /proc/PID/task/TID/schedstat and status."""

    run_ns: int
    ready_ns: int
    voluntary: int
    involuntary: int

    def since(self, earlier: Scheduled) -> Scheduled:
        """What happened between two looks."""
        return Scheduled(
            self.run_ns - earlier.run_ns,
            self.ready_ns - earlier.ready_ns,
            self.voluntary - earlier.voluntary,
            self.involuntary - earlier.involuntary,
        )


def scheduled(pid: int, tid: int) -> Scheduled:
    """One look. Exact only while the thread is asleep: a running one is charged at its ticks."""
    task = Path(f"/proc/{pid}/task/{tid}")
    run_ns, ready_ns, _ = map(int, (task / "schedstat").read_text().split())
    lines = (line.partition(":") for line in (task / "status").read_text().splitlines())
    status = {name: value for name, _, value in lines}
    return Scheduled(
        run_ns,
        ready_ns,
        int(status["voluntary_ctxt_switches"]),
        int(status["nonvoluntary_ctxt_switches"]),
    )


def on_cpu_ns(thread: Thread) -> int:
    """All time on a CPU."""
    return thread.states_ns.on_cpu


def away_ns(thread: Thread, stolen: int) -> int:
    """How long it did not run at most, though it did not sleep: it was ready, or the CPUs of all
    were ``stolen`` for so long. A program that looks at the clock counts that as well."""
    return thread.states_ns.runq + stolen


@dataclass(slots=True)
class Stolen:
    """``ns``: in all, known at the end."""

    ns: int = 0


@contextlib.contextmanager
def stolen_meanwhile() -> Iterator[Stolen]:
    """What the hypervisor takes from all CPUs."""
    told, begun_ns = Stolen(), stolen_ns()
    yield told
    told.ns = stolen_ns() - begun_ns


def stolen_ns(cpus: Collection[int] = ()) -> int:
    """What the hypervisor has taken from these CPUs, or from all, since the machine was started.

    It is the eighth figure of their lines in /proc/stat, proc_stat(5), in ticks. Linux leaves it
    out of the time a thread ran (PARAVIRT_TIME_ACCOUNTING); by the clock the thread did run.
    """
    wanted = {f"cpu{cpu}" for cpu in cpus or range(os.cpu_count() or 1)}
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    ticks = sum(int(line[8]) for line in lines if line[0] in wanted)
    return ticks * 10**9 // os.sysconf("SC_CLK_TCK")

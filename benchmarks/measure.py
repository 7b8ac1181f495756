# SPDX-License-Identifier: Apache-2.0
"""Throughput with and without a tracer, paired within seconds."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.arithmetic import Cycle, Estimate, Window, abba, around, estimate
from benchmarks.counter import Counter
from benchmarks.peers import Peer, tracing
from benchmarks.probes import Probes, Switch
from benchmarks.workloads import Workload
from iotrace.procfs.stat import read_stat

SETTLE_S = 0.003
"""After a switch: the kernel has just patched its own code."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: cycles of four windows, and pairs for tracers that start slowly."""

    cycles: int
    window_s: float
    pairs: int
    pair_window_s: float


QUICK = Effort(cycles=8, window_s=0.1, pairs=1, pair_window_s=0.4)
FULL = Effort(cycles=20, window_s=0.1, pairs=3, pair_window_s=0.5)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a tracer costs a workload. ``cpu``: of one core, by the tracer's own process."""

    ratio: Estimate
    added_ns: Estimate
    rate: float
    cpu: float | None = None
    started_s: float | None = None
    peak_rss_bytes: int | None = None


def switched(workload: Workload, probes: Sequence[Probes], effort: Effort) -> dict[str, Cost]:
    """Every kind of probes on one run of the workload, in turns of one cycle each."""
    with workload.loaded() as running, contextlib.ExitStack() as ends:
        switches = {one.name: ends.enter_context(one.loaded(running.pid)) for one in probes}
        windows: dict[str, list[Window]] = {name: [] for name in switches}
        for _ in range(effort.cycles):
            for name, switch in switches.items():
                windows[name] += cycle(running.counter, switch, effort.window_s)
    return {name: _cost(abba(seen)) for name, seen in windows.items()}


def cycle(counter: Counter, switch: Switch, seconds: float) -> list[Window]:
    """One cycle of four windows: without, with, with, without."""
    first = counter.window(seconds)
    switch.on()
    counter.window(SETTLE_S)
    traced = [counter.window(seconds), counter.window(seconds)]
    switch.off()
    counter.window(SETTLE_S)
    return [first, *traced, counter.window(seconds)]


def started(workload: Workload, peer: Peer, effort: Effort) -> Cost:
    """A peer, started anew for each pair. Raises RuntimeError where it does not start."""
    with workload.loaded() as running:
        counter, pid = running.counter, running.pid
        windows = [counter.window(effort.pair_window_s)]
        cpu, begun, memory = [], [], []
        for _ in range(effort.pairs):
            with tracing(peer, pid) as tracer:
                counter.window(0.2)
                begun.append(tracer.started_s)
                before_ns = cpu_ns(tracer.pid)
                windows.append(counter.window(effort.pair_window_s))
                cpu.append((cpu_ns(tracer.pid) - before_ns) / windows[-1].ns)
                memory.append(peak_rss_bytes(tracer.pid))
            counter.window(0.2)
            windows.append(counter.window(effort.pair_window_s))
    return _cost(around(windows), median(cpu), median(begun), max(memory))


def _cost(
    seen: Sequence[Cycle],
    cpu: float | None = None,
    started_s: float | None = None,
    peak: int | None = None,
) -> Cost:
    return Cost(
        estimate([cycle.ratio for cycle in seen]),
        estimate([cycle.added_ns for cycle in seen]),
        median(cycle.without.rate for cycle in seen),
        cpu,
        started_s,
        peak,
    )


def cpu_ns(pid: int) -> int:
    """CPU time of a process, in steps of 10 ms."""
    stat = read_stat(pid)
    return stat.user_ns + stat.kernel_ns


def peak_rss_bytes(pid: int) -> int:
    """The most memory that a process has had."""
    return memory_bytes(pid, "VmHWM")


def memory_bytes(pid: int, field: str) -> int:
    """One of the figures of /proc/PID/status; 0: it has none (it has ended)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    return 0

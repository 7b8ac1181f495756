"""Trace the churn for a while; measure what must not grow."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from iotrace.engine.map_limits import Limits, limits_for
from iotrace.report.model import Report
from iotrace.tracing.trace import Trace

LIMITS = Limits(threads=8192, calls=16384)
"""Thousands of threads a second, on a host so busy that we come to clear up once a second."""
ENOUGH_FOR_A_TREND = 12
_LEAK_BYTES = 64
_TICK_S = 0.1
_LOOK_EVERY_TICKS = 50
CHURN = Path(__file__).with_name("churn.py")


@dataclass(frozen=True, slots=True)
class Sample:
    """``gap_ns``: the largest difference between a thread's states and its wall time."""

    at_s: float
    rss_bytes: int
    kernel_bytes: int
    calls: int
    threads: int
    processes: int
    lost: int
    unaccounted_ratio: float
    gap_ns: int


def rss_bytes() -> int:
    """VmRSS of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


def gap_ns(report: Report) -> int:
    """How far the ledger of any thread is from being closed."""
    gaps = [0]
    for process in report.processes:
        for thread in process.threads:
            states = thread.states_ns
            together = states.user + states.kernel + states.copy + states.runq
            together += states.unaccounted + sum(states.wait.values())
            gaps.append(abs(together - thread.lifetime_ns))
    return max(gaps)


def _sample(trace: Trace, begin_s: float) -> Sample:
    snapshot = trace.snapshot()
    trace.look()
    report = trace.report(snapshot)
    threads = [thread for process in report.processes for thread in process.threads]
    return Sample(
        at_s=time.monotonic() - begin_s,
        rss_bytes=rss_bytes(),
        kernel_bytes=report.quality.kernel_memory_bytes or 0,
        calls=sum(thread.syscalls for thread in threads),
        threads=sum(thread.count for thread in threads),
        processes=sum(process.count for process in report.processes),
        lost=report.quality.lost.total,
        unaccounted_ratio=report.quality.unaccounted_ratio,
        gap_ns=gap_ns(report),
    )


def soak(seconds: float, tell: Callable[[Sample], None] = lambda sample: None) -> list[Sample]:
    """Samples every 5 s; the churn's exit status must be its own at the end."""
    with subprocess.Popen(
        ["nice", "-n", "19", sys.executable, str(CHURN)], stdout=subprocess.PIPE
    ) as churn:
        try:
            assert churn.stdout is not None
            pid = int(churn.stdout.readline())
            samples = _trace(pid, seconds, tell)
            churn.send_signal(signal.SIGTERM)
            status = churn.wait(30)
        finally:
            churn.kill()
    if status != 23:
        raise RuntimeError(f"the traced program ended with {status}")
    return samples


def _trace(pid: int, seconds: float, tell: Callable[[Sample], None]) -> list[Sample]:
    samples: list[Sample] = []
    with Trace(limits_for((pid,), LIMITS)) as trace:
        trace.follow(pid, True)
        begin_s = time.monotonic()
        ticks = 0
        while time.monotonic() - begin_s < seconds:
            time.sleep(_TICK_S)
            trace.processes_alive()
            ticks += 1
            if not ticks % _LOOK_EVERY_TICKS:
                samples.append(_sample(trace, begin_s))
                tell(samples[-1])
        samples.append(_sample(trace, begin_s))
        tell(samples[-1])
    return samples


def settled(samples: list[Sample]) -> list[Sample]:
    """Those after the first fifth: until then caches fill."""
    return samples[len(samples) // 5 :]


def faults(samples: list[Sample]) -> list[str]:
    """What is not as it should be.

    RSS goes up and down with how many threads end between two looks, and so with how busy the
    host is otherwise: medians are held against each other, of the first and the last third of the
    samples after the first fifth, and growth counts if it is more than a leak of one small Python
    object a thread would be.
    """
    later = settled(samples)
    last = samples[-1]
    found = []
    if len(later) >= ENOUGH_FOR_A_TREND:
        third = len(later) // 3
        early, late = later[:third], later[-third:]
        before, after = (statistics.median(s.rss_bytes for s in part) for part in (early, late))
        born = statistics.median(s.threads for s in late) - statistics.median(
            s.threads for s in early
        )
        if after > 1.05 * before and after - before > _LEAK_BYTES * born:
            grown = (after - before) / max(born, 1)
            found.append(
                f"RSS grew from {before:.0f} to {after:.0f} bytes, {grown:.0f} for each thread"
            )
    if len({sample.kernel_bytes for sample in later}) != 1:
        found.append(f"kernel memory changed: {sorted({s.kernel_bytes for s in later})}")
    if any(sample.lost for sample in samples):
        found.append(f"{last.lost} losses")
    if any(sample.gap_ns > 1_000_000 for sample in samples):
        found.append(f"a ledger is open by {max(s.gap_ns for s in samples)} ns")
    if last.unaccounted_ratio > 0.01:
        found.append(f"{last.unaccounted_ratio:.2%} of the time is unaccounted for")
    return found

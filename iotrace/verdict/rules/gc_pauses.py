# SPDX-License-Identifier: Apache-2.0
"""Python's garbage collector: pauses of event loops, or a good part of the CPU time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import CpuSample, StallCause
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import COVERED_SHARE, Cost, Hit, Rule, always, covers
from iotrace.verdict.started_tasks import STARTING

PAUSED_SHARE = 0.01
"""Of the time traced that event loops stood still for it: each pause is felt by all clients."""
CPU_SHARE = 0.1
"""Of the CPU time of the process; a collector that does well takes a few per cent."""
LEAST_CPU_SHARE = 0.02
"""Of the time traced: a process that hardly runs has nothing to gain."""
LEAST_SAMPLES = 20


def _collecting(profile: ProcessProfile) -> Iterator[Hit]:
    samples = profile.process.cpu_samples
    # By their share: stacks may be followed later than CPU time, and stand for a part of it only.
    gc_ns = int(profile.total.cpu_ns * _share(samples))
    pauses = _pauses(profile)
    paused_ns = sum(one.total_ns for one in pauses)
    collecting = sum(one.collecting for one in samples)
    if paused_ns < PAUSED_SHARE * profile.wall_ns and not (
        collecting >= LEAST_SAMPLES
        and gc_ns >= CPU_SHARE * profile.total.cpu_ns
        and gc_ns >= LEAST_CPU_SHARE * profile.wall_ns
    ):
        return
    evidence: dict[str, float | int | str] = {
        "garbage_collection_estimated_ns": gc_ns,
        "of_cpu_time_ratio": round(min(1.0, gc_ns / max(1, profile.total.cpu_ns)), 3),
    }
    if pauses:
        evidence |= {
            "pauses_over_50_ms": sum(one.count for one in pauses),
            "longest_pause_ns": max(one.max_ns for one in pauses),
            "loop_paused_ns": paused_ns,
        }
    yield Hit(evidence, max(gc_ns, paused_ns), lines=busy_lines(profile.process))


def _share(samples: Sequence[CpuSample]) -> float:
    total = sum(one.samples for one in samples)
    return sum(one.collecting for one in samples) / max(1, total)


def _is_most(cause: Hit, symptom: Hit) -> bool:
    """What computes mostly collects garbage: there is so much of it where tasks are started in
    masses, which is told by itself."""
    return (
        STARTING not in symptom.evidence
        and float(cause.evidence["of_cpu_time_ratio"]) >= COVERED_SHARE
    )


def _pauses(profile: ProcessProfile) -> list[StallCause]:
    return [
        one
        for loop in profile.process.loops
        if loop.stalls
        for one in loop.stalls.causes
        if one.cause == "gc"
    ]


COLLECTING = Rule(
    "IO135",
    "Python's garbage collector pauses the program",
    "A full collection (generation 2) visits every object that is alive. If the line calls "
    "gc.collect() itself, do that where nobody waits, or not at all. When the long-lived ones are "
    "there, gc.collect() and gc.freeze(), once: they are not visited again. Collect less often "
    "(gc.set_threshold(50_000, 20, 100)), make fewer small containers, or keep large tables "
    "outside of Python objects (arrays, sqlite3, a shared cache).",
    _collecting,
    explains={
        "IO103": covers, "IO105": always, "IO132": covers,
        "IO113": _is_most, "IO133": _is_most, "IO178": _is_most,
    },
    cost=Cost.TIME,
)  # fmt: skip

# SPDX-License-Identifier: Apache-2.0
"""Threads that are ready to run and get no CPU."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.verdict.classify.process_tree import is_short_lived
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.cpu_throttling import is_throttled
from iotrace.verdict.rules.rule import Hit, Rule, always, wastes_its_cpu

RUNQ_SHARE = 0.3
"""Of the time that its threads want a CPU."""
WALL_SHARE = 0.1
"""Of the time traced: a process that hardly runs has no starvation to speak of."""
MEAN_WAIT_NS = 1_000_000
"""Per time it left the CPU. A short wait after a wake-up is how schedulers work; waits of this
duration are slices that others run for (3 ms by default: sched(7)) or a limit that throttles it."""


LEAST_WALL_NS = 500_000_000
"""Traced for less than this (it had just begun at the end), nothing can be said of its share."""


def _starved(profile: ProcessProfile) -> Iterator[Hit]:
    seen = profile.total
    if profile.wall_ns < LEAST_WALL_NS:
        return
    wanted = max(1, seen.runq_ns + seen.cpu_ns)
    if seen.runq_ns < max(RUNQ_SHARE * wanted, WALL_SHARE * profile.wall_ns):
        return
    if is_throttled(profile):
        return  # the CPUs may well be free: IO121 tells
    switches = seen.voluntary + seen.involuntary
    if seen.runq_ns < MEAN_WAIT_NS * switches or is_short_lived(profile):
        return
    evidence: dict[str, float | int | str] = {
        "runq_ns": seen.runq_ns,
        "runq_share_ratio": round(seen.runq_ns / wanted, 3),
        "cpu_ns": seen.cpu_ns,
        "mean_wait_ns": seen.runq_ns // max(1, switches),
        "threads": seen.threads,
        _SHARED: plural(profile.cpus, "CPU") if profile.cpus else "CPUs",
    }
    limits = profile.process.limits
    if 0 < profile.cpus < profile.machine_cpus:
        evidence["may_use"] = f"{profile.cpus} of the machine's {profile.machine_cpus} CPUs"
    if limits is not None and limits.throttled_ns:
        evidence["throttled_added_up_over_cpus_ns"] = limits.throttled_ns
    lines = busy_lines(profile.process)
    if not profile.leaves_cpus:
        confined = 0 < profile.cpus < profile.machine_cpus
        yield Hit(evidence, seen.runq_ns, lines=lines, advice=_CONFINED if confined else "")
        return
    evidence |= {
        "cpus": profile.cpus,
        _LEFT: profile.traced_cpu_ns,
    }
    by_others = profile.waits_for_others
    yield Hit(
        evidence,
        seen.runq_ns,
        severity="low",
        lines=lines,
        title=_OTHERS if by_others else _OTHERS_OR_BURSTS,
        advice=_LOOK_ELSEWHERE if by_others else _LOOK_WHO,
    )


_SHARED = "short_of"
_LEFT = "traced_cpu_ns"
_CONFINED = (
    "The process is confined to some of the machine's CPUs (taskset, sched_setaffinity(2), "
    "cpuset): `taskset -cp PID` tells which. Give it more of them, see who else is confined to the "
    "same ones, or run fewer threads and workers."
)
_OTHERS = "The machine is out of CPUs: other programs take them, this one's threads wait for one"
_LOOK_ELSEWHERE = (
    "No fault of this program: all that was traced used less than half of the CPUs. See who takes "
    "them (top, pidstat -u 1) and move or limit that, or give this program more weight (nice, "
    "cpu.weight) or CPUs of its own (cpuset). All times above include these waits: trace it again "
    "when the machine is quieter."
)
_OTHERS_OR_BURSTS = (
    "Its threads wait for a CPU, though all that was traced used less than half of the CPUs: other "
    "programs take them, or its threads all want one at the same moments"
)
_LOOK_WHO = (
    "See whether others take the CPUs (top, pidstat -u 1), and move or limit those. If none do, "
    "work comes in bursts that more threads share than there are CPUs: run fewer threads and "
    "workers, or do not let them all start at the same moment."
)


def takes_them_itself(cause: Hit, symptom: Hit) -> bool:
    """Where the process, and no other program, takes the CPUs, and the cause at least half of that:
    its threads wait for each other."""
    return _LEFT not in symptom.evidence and wastes_its_cpu(cause, symptom)


STARVED = Rule(
    "IO112",
    "CPU starvation: its threads are ready but wait for a CPU",
    "See who takes the CPUs (top, pidstat -u 1). Give the program more CPUs, or run fewer threads "
    "and workers than there are CPUs.",
    _starved,
    explains={"IO105": always},
    least=Detail.LIGHT,
    shared=_SHARED,
)

# SPDX-License-Identifier: Apache-2.0
"""A CPU quota keeps the process from running though CPUs may be free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.detail import Detail
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule, always, covers

THROTTLED_SHARE = 0.05
"""Of the time traced that the quota held the group back."""
WORKING_SHARE = 0.01
"""Of the time traced: a thread that ran or wanted to run for as long takes part in using it up."""

COMPUTED_SHARE = 0.5
"""Of what a request takes: one that is on a CPU for less mostly waits for the quota."""
LEAST_THREADS = 2
"""One alone shares with nobody."""


def is_throttled(profile: ProcessProfile) -> bool:
    """Whether a quota is what this process waits for: throttled for long, and willing to run."""
    limits = profile.process.limits
    throttled = (limits.throttled_ns or 0) if limits else 0
    wanted = profile.total.cpu_ns + profile.total.runq_ns
    return (
        throttled >= THROTTLED_SHARE * profile.wall_ns and wanted >= WORKING_SHARE * profile.wall_ns
    )


def _throttled(profile: ProcessProfile) -> Iterator[Hit]:
    limits = profile.process.limits
    if limits is None or not is_throttled(profile):
        return
    group = [one for one in _in_its_group(profile) if is_throttled(one)]
    working = sum(map(_threads_at_work, group))
    throttled = limits.throttled_ns or 0
    evidence: dict[str, float | int | str] = {
        "throttled_added_up_over_cpus_ns": throttled,
        "cgroup": limits.cpu_group,
        "threads_that_want_a_cpu": working,
        "cpu_ns": sum(one.total.cpu_ns for one in group),
        "runq_ns": sum(one.total.runq_ns for one in group),
    }
    if limits.cpu_quota_cpus is not None:
        evidence["quota_cpus"] = round(limits.cpu_quota_cpus, 3)
    yield Hit(
        evidence,
        min(throttled, _all_at_rest_ns(profile, group)),
        lines=busy_lines(profile.process),
        title=_title(working, len(group), limits.cpu_quota_cpus),
    )


def _all_at_rest_ns(profile: ProcessProfile, group: Sequence[ProcessProfile]) -> int:
    """How long none of their threads was on a CPU, at most: the kernel adds up the CPUs on which
    the group stands still, with both versions of control groups (kernel/sched/fair.c,
    unthrottle_cfs_rq), so that two may make more of it than the trace has time."""
    ran = (seen.cpu_ns for one in group for seen in one.threads.values())
    return max(0, profile.wall_ns - max(ran, default=0))


def _title(threads: int, processes: int, quota: float | None) -> str:
    """With who shares the quota, where those are more than it has CPUs."""
    if quota is None or threads <= quota or threads < LEAST_THREADS:
        return THROTTLED.title
    who = f"{threads} threads"
    if processes > 1:
        who = (
            f"{processes} processes" if threads == processes else f"{who} of {processes} processes"
        )
    return f"{THROTTLED.title}: {who} share {quota:.3g} CPU{'s' if quota > 1 else ''}"


def _in_its_group(profile: ProcessProfile) -> list[ProcessProfile]:
    """It and its closest relatives, those of the same control group."""
    limits = profile.process.limits
    relatives = (profile.parent, *profile.siblings, *profile.children)
    return [
        profile,
        *(
            one
            for one in relatives
            if one is not None
            and limits is not None
            and one.process.limits is not None
            and one.process.limits.cpu_group == limits.cpu_group
        ),
    ]


def _threads_at_work(profile: ProcessProfile) -> int:
    return sum(
        row.count
        for row in profile.process.threads
        if row.states_ns.on_cpu + row.states_ns.runq >= WORKING_SHARE * profile.wall_ns
    )


def _hardly_computes(_: Hit, requests: Hit) -> bool:
    """Slow requests that are said to compute, and wait for the CPU for longer."""
    computed, took = (requests.evidence.get(f"mean_{name}_ns") for name in ("on_cpu", "latency"))
    return isinstance(computed, int) and isinstance(took, int) and computed < COMPUTED_SHARE * took


THROTTLED = Rule(
    "IO121",
    "Throttled by the CPU limit of its control group",
    "The quota is used up early in each period (100 ms by default), and the group stands still "
    "for the rest. Raise the limit (cpu.max; Kubernetes: resources.limits.cpu; docker run "
    "--cpus), or run no more threads and workers than the quota has CPUs: libraries start one for "
    "each CPU of the host (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS, gunicorn --workers).",
    _throttled,
    explains={
        "IO103": covers,
        "IO105": always,
        "IO112": always,
        "IO113": covers,
        "IO114": covers,
        "IO178": _hardly_computes,
    },
    least=Detail.LIGHT,
    shared="cgroup",
    cost=Cost.TIME,
)

# SPDX-License-Identifier: Apache-2.0
"""A CPU quota keeps the process from running though CPUs may be free."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule, always, covers

THROTTLED_SHARE = 0.05
"""Of the time traced that the quota held the group back."""
WORKING_SHARE = 0.01
"""Of the time traced: a thread that ran or wanted to run for as long takes part in using it up."""

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
    throttled = min(limits.throttled_ns or 0, profile.wall_ns)
    group = [one for one in _in_its_group(profile) if is_throttled(one)]
    working = sum(map(_threads_at_work, group))
    evidence: dict[str, float | int | str] = {
        "throttled_by_cpu_limit_ns": throttled,
        "throttled_ratio": round(throttled / profile.wall_ns, 3),
        "cgroup": limits.cpu_group,
        "threads_that_want_a_cpu": working,
        "cpu_ns": sum(one.total.cpu_ns for one in group),
        "runq_ns": sum(one.total.runq_ns for one in group),
    }
    if limits.cpu_quota_cpus is not None:
        evidence["quota_cpus"] = round(limits.cpu_quota_cpus, 3)
    yield Hit(
        evidence,
        throttled,
        lines=busy_lines(profile.process),
        title=_title(working, len(group), limits.cpu_quota_cpus),
    )


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


THROTTLED = Rule(
    "IO121",
    "Throttled by the CPU limit of its control group",
    "The quota is used up early in each period (100 ms by default), and the group stands still "
    "for the rest. Raise the limit (cpu.max; Kubernetes: resources.limits.cpu; docker run "
    "--cpus), or run no more threads and workers than the quota has CPUs: libraries start one for "
    "each CPU of the host (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS, gunicorn --workers).",
    _throttled,
    explains={"IO103": covers, "IO105": always, "IO112": always, "IO113": covers, "IO114": covers},
    least=Detail.LIGHT,
    shared="cgroup",
    cost=Cost.TIME,
)

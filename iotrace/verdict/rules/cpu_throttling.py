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
    seen = profile.total
    throttled = min(limits.throttled_ns or 0, profile.wall_ns)
    working = sum(
        row.count
        for row in profile.process.threads
        if row.states_ns.on_cpu + row.states_ns.runq >= WORKING_SHARE * profile.wall_ns
    )
    evidence: dict[str, float | int | str] = {
        "throttled_by_cpu_limit_ns": throttled,
        "throttled_ratio": round(throttled / profile.wall_ns, 3),
        "cgroup": limits.cpu_group,
        "threads_that_want_a_cpu": working,
        "cpu_ns": seen.cpu_ns,
        "runq_ns": seen.runq_ns,
    }
    if limits.cpu_quota_cpus is not None:
        evidence["quota_cpus"] = round(limits.cpu_quota_cpus, 3)
    yield Hit(evidence, throttled, lines=busy_lines(profile.process))


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

# SPDX-License-Identifier: Apache-2.0
"""The hypervisor takes CPUs away from this virtual machine."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule, severity

STOLEN_SHARE = 0.1
"""Of the time that the machine's CPUs had something to run. A few percent are ordinary on a host
that is shared; from a tenth on it is felt: what takes 10 ms takes 11."""
WANTING_SHARE = 0.05
"""Of the time traced that the process ran or wanted to: one that hardly runs loses nothing."""
LEAST_STOLEN_NS = 200_000_000
"""The kernel counts in ticks of 10 ms: of 20 of them one more or less is 5 %."""


def _stolen(profile: ProcessProfile) -> Iterator[Hit]:
    limits = profile.process.limits
    stolen = (limits.machine_stolen_ns or 0) if limits else 0
    running = (limits.machine_running_ns or 0) if limits else 0
    ran = profile.total.cpu_ns
    if stolen < max(LEAST_STOLEN_NS, STOLEN_SHARE * (running + stolen)) or running < 0:
        return
    if ran + profile.total.runq_ns < WANTING_SHARE * profile.wall_ns:
        return
    share = stolen / (running + stolen)
    lost = int(ran * share)
    evidence: dict[str, float | int | str] = {
        "stolen_ns": stolen,
        "stolen_share_ratio": round(share, 3),
        "cpu_ns": ran,
        "lost_estimated_ns": lost,
        _SHARED: "the CPUs of this machine",
    }
    yield Hit(evidence, lost, severity=severity(lost, profile.wall_ns))


_SHARED = "taken_from"

STOLEN = Rule(
    "IO194",
    "The hypervisor takes the CPUs away: a part of their time is stolen",
    "No fault of this program: other guests of the same host run on its CPUs (st in top), or "
    "the machine has used up its CPU credits (burstable instances). Move it to another host, or "
    "to an instance with CPUs of its own. Threads keep their virtual CPUs meanwhile, so that time "
    "stands as running in all tables: trace it again on a machine that has its CPUs before you "
    "look for the cause in the code.",
    _stolen,
    least=Detail.LIGHT,
    shared=_SHARED,
    cost=Cost.TIME,
)

# SPDX-License-Identifier: Apache-2.0
"""Memory that is not there: pages are fetched from storage again and again."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.report.model import GroupLimits
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import faulting_lines
from iotrace.verdict.rules.rule import QUEUES, Hit, Rule, always

FAULTS_PER_SECOND = 100
"""A program that has just started has hundreds, but for a moment."""
ASLEEP_SHARE = 0.05
"""Of the time traced that threads slept in page faults."""
NEAR_LIMIT = 0.9
"""Memory in use, of the limit: what is cached makes room only down to what is used all the time."""


def _faulting(profile: ProcessProfile) -> Iterator[Hit]:
    faults = profile.process.major_faults or 0
    asleep_ns = profile.total.wait_ns["fault"]
    if profile.per_second(faults) < FAULTS_PER_SECOND or asleep_ns < ASLEEP_SHARE * profile.wall_ns:
        return
    evidence: dict[str, float | int | str] = {
        "major_page_faults": faults,
        "faults_per_second": round(profile.per_second(faults)),
        "asleep_in_page_faults_ns": asleep_ns,
    }
    title = advice = ""
    limits = profile.process.limits
    if limits is not None and _is_near(limits):
        evidence |= {
            "memory_limit_bytes": limits.memory_limit_bytes or 0,
            "memory_used_bytes": limits.memory_used_bytes or 0,
            "cgroup": limits.memory_group,
        }
        title = "Major page faults at the memory limit: pages are read over and over"
        advice = (
            "Raise the memory limit of the control group (memory.max; Kubernetes: "
            "resources.limits.memory; docker run --memory): files that are mapped or cached count "
            "against it. Or use less memory: fewer workers, a smaller index."
        )
    yield Hit(
        evidence,
        min(asleep_ns, profile.wall_ns),
        title=title,
        advice=advice,
        lines=faulting_lines(profile.process),
    )


def _is_near(limits: GroupLimits) -> bool:
    limit = limits.memory_limit_bytes
    return bool(limit) and (limits.memory_used_bytes or 0) >= NEAR_LIMIT * (limit or 0)


FAULTING = Rule(
    "IO134",
    "Major page faults: threads sleep while pages are read from storage",
    "The memory that the program uses (mapped files, or its own memory in swap) does not fit. Give "
    "the machine more memory or the program less to hold; read a mapped file once before serving "
    "(MAP_POPULATE, madvise(MADV_WILLNEED)); look at swap with vmstat 1.",
    _faulting,
    explains={"IO103": always, "IO113": always, **QUEUES},
    least=Detail.LIGHT,
    shared="cgroup",
)

# SPDX-License-Identifier: Apache-2.0
"""Memory that is not there: pages are fetched from storage again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.report.detail import Detail
from iotrace.report.model import GroupLimits, Process
from iotrace.verdict.cpu_samples import faulting_lines
from iotrace.verdict.number_formats import mebibytes
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import QUEUES, Hit, Rule, always

FAULTS_PER_SECOND = 100
"""A program that has just started has hundreds, but for a moment."""
ASLEEP_SHARE = 0.05
"""Of the time traced that threads slept in page faults."""
MUCH_ASLEEP_SHARE = 0.25
LEAST_FAULTS = 30
"""With so much of it, a few dozen will do: each takes long, from a network or a slow disk."""
LEAST_SWAPPED_BYTES = 8 << 20
"""What is never used is put there sooner or later, and costs nothing: so much of any process."""
FROM_SWAP_SHARE = 0.5
"""A fault brings a page from swap, or several: where the whole machine fetched less than half as
many as there were faults, most of these were for pages of files."""
NEAR_LIMIT = 0.9
"""Memory in use, of the limit: what is cached makes room only down to what is used all the time."""


def _faulting(profile: ProcessProfile) -> Iterator[Hit]:
    faults = profile.process.major_faults or 0
    asleep_ns = profile.total.wait_ns["fault"]
    often = profile.per_second(faults) >= FAULTS_PER_SECOND
    share = ASLEEP_SHARE if often else MUCH_ASLEEP_SHARE
    if faults < LEAST_FAULTS or asleep_ns < share * profile.wall_ns:
        return
    evidence: dict[str, float | int | str] = {
        "major_page_faults": faults,
        "faults_per_second": round(profile.per_second(faults)),
        "asleep_in_page_faults_ns": asleep_ns,
    }
    title = advice = ""
    short = memory_is_short(profile.process)
    if short is not None:
        evidence |= short.evidence
        near = short.at_the_limit
        title = (
            "Major page faults at the memory limit: pages are read over and over"
            if near and not short.swapped
            else f"Memory is in swap: each use of it is a page fault{f' ({near})' if near else ''}"
        )
        advice = short.advice
    yield Hit(
        evidence,
        min(asleep_ns, profile.wall_ns),
        title=title,
        advice=advice,
        lines=faulting_lines(profile.process),
    )


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why memory is not there. ``at_the_limit``: of which control group, "": of none; ``swapped``:
    "120 MiB of its memory are in swap", "": none is."""

    evidence: dict[str, float | int | str]
    at_the_limit: str
    swapped: str
    advice: str


def memory_is_short(process: Process) -> Shortage | None:
    """None: nothing tells that memory is short, so that a file was not in memory before."""
    limits = process.limits
    if limits is None:
        return None
    evidence: dict[str, float | int | str] = {}
    near = swapped = ""
    if _is_near(limits):
        evidence |= {
            "memory_limit_bytes": limits.memory_limit_bytes or 0,
            "memory_used_bytes": limits.memory_used_bytes or 0,
            "cgroup": limits.memory_group,
        }
        near = f"at the memory limit of its control group, {mebibytes(limits.memory_limit_bytes)}"
    if _is_swapped_in(limits, process.major_faults or 0):
        evidence |= {
            "swapped_bytes": limits.swapped_bytes or 0,
            "pages_from_swap_of_the_machine": limits.swapped_in_pages or 0,
        }
        swapped = f"{mebibytes(limits.swapped_bytes)} of its memory are in swap"
    if not evidence:
        return None
    return Shortage(evidence, near, swapped, _AT_LIMIT if near else _SWAPPED)


def _is_near(limits: GroupLimits) -> bool:
    limit = limits.memory_limit_bytes
    return bool(limit) and (limits.memory_used_bytes or 0) >= NEAR_LIMIT * (limit or 0)


def _is_swapped_in(limits: GroupLimits, faults: int) -> bool:
    return (limits.swapped_bytes or 0) >= LEAST_SWAPPED_BYTES and (
        limits.swapped_in_pages or 0
    ) >= FROM_SWAP_SHARE * faults > 0


_AT_LIMIT = (
    "Raise the memory limit of the control group (memory.max; Kubernetes: "
    "resources.limits.memory; docker run --memory): files that are mapped or cached count "
    "against it. Or use less memory: fewer workers, a smaller index."
)
_SWAPPED = (
    "The machine has too little memory: use less (fewer workers, a smaller cache), look at who "
    "has it (`ps -eo rss,swap,comm --sort -rss`), or give it more. Memory of a service that must "
    "answer can be kept from swap: MemorySwapMax=0 of its unit, mlockall."
)

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

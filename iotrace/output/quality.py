# SPDX-License-Identifier: Apache-2.0
"""How far the figures can be trusted: the footer, and what stands before all else."""

from __future__ import annotations

from dataclasses import fields

from iotrace.output import units
from iotrace.output.blocks import Block, Facts, Heading
from iotrace.report.model import Lost, Report

# What each counter of ``Lost`` counts, in the words of a reader.
_LOST = {
    "ring": "ring buffer events",
    "threads": "thread updates",
    "calls": "system call updates",
    "descriptors": "descriptor updates",
    "loops": "event loop updates",
    "probes": "skipped probe runs",
    "stacks": "Python stacks",
    "requests": "listeners or peers of requests",
}


_SHORT = "; loading the probes and making the report are in it, once, however long the trace is"


def warning(report: Report) -> list[Block]:
    """Before the findings: that something is lacking. Nothing where all is there."""
    lost = report.quality.lost
    if not lost.total:
        return []
    text = (
        f"{_counted(lost)} were lost for lack of room or time (see Data quality at the end). They "
        "are in no figure: sums and counts are too low, and what is wrong may not have been found."
    )
    return [Facts((("INCOMPLETE", text),), ("INCOMPLETE",))]


def blocks(report: Report) -> list[Block]:
    """The heading and the facts; what is not known says so."""
    quality = report.quality
    tracer = units.format_percent(quality.tracer_cpu_ns, report.duration_ns)
    pairs = [
        ("lost", _lost(quality.lost)),
        (
            "unaccounted",
            f"{units.format_percent(quality.unaccounted_ratio, 1.0)} of the threads' time",
        ),
        ("in flight", _in_flight(quality.in_flight)),
        (
            "tracer's CPU",
            f"{units.format_duration(quality.tracer_cpu_ns)} "
            f"({tracer} of one CPU for {units.format_duration(report.duration_ns)}"
            f"{_SHORT if 2 * quality.tracer_cpu_ns > report.duration_ns else ''})",
        ),
    ]
    if quality.probe_ns is not None:
        pairs.append(("in the probes", units.format_duration(quality.probe_ns)))
    pairs.append(("kernel memory", units.format_size(quality.kernel_memory_bytes)))
    pairs += [
        ("not available", f"{column}: {reason}") for column, reason in quality.unavailable.items()
    ]
    pairs += [("note", note) for note in quality.notes]
    alarming = ("lost",) if quality.lost.total else ()
    return [Heading(2, "Data quality"), Facts(tuple(pairs), alarming)]


def _lost(lost: Lost) -> str:
    counted = _counted(lost)
    return f"{counted}: THE FIGURES ARE INCOMPLETE" if counted else "nothing"


def _counted(lost: Lost) -> str:
    return ", ".join(
        f"{units.format_count(getattr(lost, field.name))} {_LOST[field.name]}"
        for field in fields(lost)
        if getattr(lost, field.name)
    )


def _in_flight(calls: int) -> str:
    return f"{units.plural(calls, 'call')} had not returned at the end"

# SPDX-License-Identifier: Apache-2.0
"""Calls that fail: how many, where they are made, and the CPU time that they take."""

from __future__ import annotations

from collections.abc import Iterable

from iotrace.report.model import Call
from iotrace.report.stacks import Line
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import calling_lines
from iotrace.verdict.told_lines import ToldLine


def failure_evidence(
    profile: ProcessProfile, row: Call, error: str, failed: int
) -> dict[str, float | int | str]:
    """What findings about failing calls have in common."""
    return {
        "call": row.syscall,
        "error": error,
        "failed": failed,
        "failed_per_second": round(profile.per_second(failed), 1),
        "calls": row.calls or 0,
    }


def places_of_calls(profile: ProcessProfile, row: Call) -> tuple[ToldLine, ...]:
    """Where its thread makes such calls, if that is known; else what it does at all."""
    return calling_lines(lines_of_calls(profile, row)) or busy_lines(profile.process, row.tid)


def lines_of_calls(profile: ProcessProfile, row: Call) -> list[Line]:
    """The lines of such calls on such descriptors: those that its thread has made last; of threads
    that do the same, one has made the last call of all. Not that a traceback is made of a failure,
    which reads the source of the program, where there are others."""
    made = (row.syscall, row.kind)
    lines = [one for one in profile.process.lines if (one.syscall, one.kind) == made]
    lines = [one for one in lines if not _reads_source(one)] or lines
    return [one for one in lines if one.tid == row.tid] or lines


def _reads_source(line: Line) -> bool:
    return any(frame.file.endswith("/linecache.py") for frame in line.stack)


def failures_cpu_ns(profile: ProcessProfile, rows: Iterable[Call], error: str) -> int:
    """The CPU time of their threads, by the share of their calls that failed so."""
    cost = 0.0
    for row in rows:
        seen = profile.threads.get(row.tid)
        if seen is not None:
            cost += seen.cpu_ns * failure_count(row, error) / max(1, seen.syscalls)
    return int(cost)


def failure_count(row: Call, error: str) -> int:
    """How many calls have failed so."""
    return (row.errors or {}).get(error, 0)

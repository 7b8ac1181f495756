# SPDX-License-Identifier: Apache-2.0
"""What of a report is shown in full, and what it is a report of."""

from __future__ import annotations

from iotrace.output import units
from iotrace.output.naming import after_parents, is_sum
from iotrace.report.model import Process, Report
from iotrace.report.process_totals import totals_of


def split(report: Report, most: int | None) -> tuple[list[Process], list[Process]]:
    """Up to ``most`` processes (None: all) with tables of their own, and those with one line.

    Those with findings, in the findings' order, then the costliest, and their parents on top of
    that: theirs is the label of the whole. A process that slept all along gets one line, unless it
    is alone or something is wrong in it.
    """
    found = {one.pid: place for place, one in reversed([*enumerate(report.findings)])}
    telling = [
        process
        for process in report.processes
        if _awake_ns(process) or process.pid in found or len(report.processes) == 1
    ]
    none = len(report.findings)
    telling.sort(key=lambda process: (found.get(process.pid, none), -_awake_ns(process)))
    detailed = telling[:most]
    chosen = set(map(id, detailed))
    parents = {process.pid: process for process in report.processes if not is_sum(process)}
    for process in detailed:  # grows meanwhile: parents have parents
        parent = parents.get(process.parent or 0)
        if parent is not None and id(parent) not in chosen:
            chosen.add(id(parent))
            detailed.append(parent)
    others = [process for process in report.processes if id(process) not in chosen]
    return after_parents(detailed), others


def _awake_ns(process: Process) -> int:
    return totals_of(process).awake_ns


def head_lines(report: Report) -> list[str]:
    """What was traced; and whose rules the verdict is by, where they are not the trace's own."""
    if not report.judged_by or (report.judged_by == report.iotrace and report.can_be_judged):
        return [_origin(report)]
    judged = (
        f"Judged by the rules of iotrace {report.judged_by}; recorded by version {report.iotrace}"
    )
    lacking = "" if report.can_be_judged else ", which did not keep all that later rules need"
    return [_origin(report), f"{judged}{lacking}."]


def _origin(report: Report) -> str:
    """How long, when and where it was traced, in one line."""
    host = report.host
    which = "" if report.interval is None else f"interval {report.interval}, "
    return (
        f"iotrace {report.iotrace}: {which}{units.format_duration(report.duration_ns)} "
        f"from {report.started_at} on Linux {host.kernel} {host.machine}, "
        f"{units.plural(host.cpus, 'CPU')}"
    )

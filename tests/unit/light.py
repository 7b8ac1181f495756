"""Made-up processes as light detail sees them: each call and each return has slept."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.detail import Detail
from iotrace.report.model import Process, Report
from iotrace.report_builder.unavailable_fields import clear_unavailable


def lit(process: Process, detail: Detail = Detail.LIGHT) -> Process:
    """The process, traced in that detail."""
    slept = replace(
        process,
        calls=tuple(replace(row, sleeps=row.calls if row.wait_ns else 0) for row in process.calls),
        loops=tuple(replace(row, sleeps=row.iterations) for row in process.loops),
    )
    return clear_unavailable(slept, detail)


def lit_report(report: Report, detail: Detail = Detail.LIGHT) -> Report:
    """The report, but for its verdict."""
    return replace(
        report,
        processes=tuple(lit(process, detail) for process in report.processes),
        findings=(),
        detail=detail.value,
        unchecked=("IO101", "IO103"),
        quality=replace(report.quality, unavailable=detail.unavailable),
    )

# SPDX-License-Identifier: Apache-2.0
"""The exit code that says how a trace went."""

from __future__ import annotations

from iotrace.errors import ExitCode
from iotrace.report.model import Report
from iotrace.verdict.gate import fires


def exit_code(*reports: Report, fail_on: tuple[str, ...] = ()) -> int:
    """Of a trace of running processes. ``fail_on``: the findings that are a failure."""
    if any(fires(report.findings, fail_on) for report in reports):
        return ExitCode.FAIL_ON
    lost = any(report.quality.lost.total for report in reports)
    return ExitCode.INCOMPLETE if lost else ExitCode.OK


def exit_code_of_program(report: Report, status: int, fail_on: tuple[str, ...] = ()) -> int:
    """The program's exit status; where that is 0, FAIL_ON if a finding is a failure."""
    return ExitCode.FAIL_ON if not status and fires(report.findings, fail_on) else status

"""Where the reports of a trace go: printed, or into a recording."""

from __future__ import annotations

from typing import Protocol

from iotrace.report.model import Report
from iotrace.tracing.trace import Trace


class Sink(Protocol):
    """Takes an interval's report now and then, and at last the whole trace's."""

    def interval(self, report: Report) -> None:
        """The report of one interval, as soon as it is over."""

    def finish(self, report: Report) -> None:
        """The report of the whole trace."""

    def tick(self, trace: Trace) -> None:
        """Ten times a second or so, and once more when the trace is over."""

    def close(self) -> None:
        """Whether or not it was finished: leave nothing half done."""

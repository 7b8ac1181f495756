"""One run as the sentences about it see it."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.demo.figures import Figures
from iotrace.output.units import format_duration
from iotrace.report.detail import known
from iotrace.report.model import Loop, Report
from iotrace.servers.load_plan import LoadResult


@dataclass(frozen=True, slots=True)
class Run:
    """What there is to speak of. ``variant``: the teaching case, "" for none."""

    model: str
    variant: str
    report: Report
    figures: Figures
    result: LoadResult

    def each(self, total: int) -> float:
        """A sum's share of one request."""
        return total / max(self.figures.requests, 1)

    def duration(self, total_ns: int) -> str:
        """A time's share of one request, in words."""
        return format_duration(self.each(total_ns))

    @property
    def loops(self) -> list[Loop]:
        """The multiplexer's rows, most iterations first."""
        found = [loop for process in self.report.processes for loop in process.loops]
        return sorted(found, key=lambda loop: -known(loop.iterations))

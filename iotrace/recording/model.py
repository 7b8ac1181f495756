"""What a recording holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from iotrace.report.model import Report
from iotrace.timeline.model import Timeline


@dataclass(frozen=True, slots=True)
class Recording:
    """The report of a whole trace, and reports of its intervals one after the other.

    ``timeline``: single events, None where none were recorded (or none were asked for).
    """

    report: Report
    samples: tuple[Report, ...] = ()
    timeline: Timeline | None = None


def as_sample(interval: Report) -> Report:
    """An interval's report without what no comparison asks for, so that files stay small."""
    processes = (
        replace(process, cmdline=(), descriptors=(), signals=(), model=None)
        for process in interval.processes
    )
    return replace(interval, processes=tuple(processes), findings=())

"""What a recording holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from iotrace.report.model import Report


@dataclass(frozen=True, slots=True)
class Recording:
    """The report of a whole trace, and reports of its intervals one after the other."""

    report: Report
    samples: tuple[Report, ...] = ()


def as_sample(interval: Report) -> Report:
    """An interval's report without what no comparison asks for, so that files stay small."""
    processes = (
        replace(process, cmdline=(), descriptors=(), signals=(), model=None)
        for process in interval.processes
    )
    return replace(interval, processes=tuple(processes), findings=())

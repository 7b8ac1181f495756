# SPDX-License-Identifier: Apache-2.0
"""What a comparison says: one tree of frozen dataclasses, which is its JSON too.

Units are in the names of the figures (``_ns``, ``_per_s``), as in a report.
"""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.report.detail import Detail

SCHEMA = "iotrace.comparison/1"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two recordings.

    ``samples``: how many intervals it has; ``detail``, ``judged_by``: those of its report.
    ``no_requests``: why it knows of no requests; "": it does.
    """

    name: str
    iotrace: str
    started_at: str
    duration_ns: int
    samples: int
    detail: str = Detail.FULL.value
    judged_by: str = ""
    no_requests: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure in both. None: that side has no such thing.

    ``change``: (b - a) / a, None where there is no a. ``noise``: how far the medians of two
    recordings of the same thing may be apart, None: too few samples to tell.
    ``verdict``: "worse", "better" (for figures of which less is better), "changed", "same"
    (within the noise), "gone", "new" or "unknown" (too few samples).
    """

    process: str
    what: str
    figure: str
    a: float | None
    b: float | None
    change: float | None
    noise: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class FindingChange:
    """A finding that only one side has. Processes are told apart by their names."""

    process: str
    id: str
    severity: str
    title: str
    cost_ns: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that differs, and what does not.

    ``states``: seconds of threads' time a second. ``calls``: rate and times of each system call.
    ``loops``: the event loops' rate and lag. ``requests``: of each listener the rate, latency and
    its parts; ``upstreams``: of each peer. Of two details, only what both know is compared.
    """

    schema: str
    a: Side
    b: Side
    processes: tuple[Difference, ...]
    states: tuple[Difference, ...]
    calls: tuple[Difference, ...]
    loops: tuple[Difference, ...]
    findings_gone: tuple[FindingChange, ...]
    findings_new: tuple[FindingChange, ...]
    requests: tuple[Difference, ...] = ()
    upstreams: tuple[Difference, ...] = ()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Of all sections."""
        return (
            *self.requests,
            *self.upstreams,
            *self.processes,
            *self.states,
            *self.calls,
            *self.loops,
        )

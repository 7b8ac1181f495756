# SPDX-License-Identifier: Apache-2.0
"""What the live screen shows at one moment, as frozen figures: the rows of its pages.

Shares are 0 to 1, of the interval's wall time of the thread; rates are a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iotrace.live.request_figures import RequestRow, UpstreamRow
from iotrace.report.model import Finding, Process, Quality, Quantiles

FindingKey = tuple[str, int, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Shares:
    """One thread's time by state; they add up to 1 (or to 0, if no time has passed)."""

    user: float
    kernel: float
    copy: float
    runq: float
    wait: float
    unaccounted: float
    cpu: float = 0.0

    @property
    def on_cpu(self) -> float:
        """User, kernel and copy together, and what is not told apart."""
        return self.user + self.kernel + self.copy + self.cpu


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread in the last interval. ``waits``: time asleep by reason, of ``wall_ns``."""

    pid: int
    tid: int
    name: str
    shares: Shares
    waits: Mapping[str, int]
    wall_ns: int
    calls_per_s: float | None


@dataclass(frozen=True, slots=True)
class CallRow:
    """A thread's calls of one kind in the last interval. ``share``: of its wall time, inside it.

    ``mean_ns`` is of those that returned, None if none did. ``errors``: other than EAGAIN.
    """

    pid: int
    tid: int
    call: str
    calls_per_s: float | None
    bytes_per_s: float | None
    share: float
    mean_ns: float | None
    p99_ns: int | None
    max_ns: int | None
    errors: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class LoopRow:
    """An event loop. Its lag (``busy``) is the last interval's, its stalls the whole trace's."""

    pid: int
    tid: int
    multiplexer: str
    watched: int | None
    iterations_per_s: float | None
    ready: float | None
    busy: Quantiles | None
    new_stalls: int
    stalls: int
    stalled_ns: int
    worst: str
    worst_ns: int


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding of the whole trace so far; first shown at ``since_ns``."""

    finding: Finding
    process: Process | None
    since_ns: int

    @property
    def key(self) -> FindingKey:
        """The same finding in a later report."""
        found = self.finding
        return found.id, found.pid, found.tid, found.fd


@dataclass(frozen=True, slots=True)
class Head:
    """Who is traced, and for how long all probes have been there.

    ``model`` is "" as long as none is named.
    """

    pid: int
    name: str
    processes: int
    threads: int
    model: str
    confidence: float
    passed_ns: int
    calls_per_s: float | None


@dataclass(frozen=True, slots=True)
class Picture:
    """All pages at one moment. Rows are in the reports' order; ``ordering`` sorts them.

    ``outcomes``: what is said of processes in which nothing was found. ``no_requests``: why
    requests are not seen, "": they are. ``whole_ns``: how long time has been charged; the head's
    ``passed_ns`` and ``since_ns`` of findings begin later, with the duration that was asked for.
    """

    head: Head
    threads: tuple[ThreadRow, ...]
    calls: tuple[CallRow, ...]
    loops: tuple[LoopRow, ...]
    requests: tuple[RequestRow, ...]
    upstreams: tuple[UpstreamRow, ...]
    findings: tuple[FindingRow, ...]
    outcomes: tuple[str, ...]
    quality: Quality
    interval_ns: int
    whole_ns: int
    no_requests: str = ""

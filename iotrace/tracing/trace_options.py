"""What the command line asks a trace for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iotrace.live.display import Live
    from iotrace.report.detail import Detail


@dataclass(frozen=True, slots=True)
class PythonWish:
    """Whether Python's stacks are looked at, and of which calls."""

    enabled: bool = True
    min_latency_ns: int = 1_000_000


_DEFAULT = PythonWish()


@dataclass(frozen=True, slots=True)
class Plan:
    """How long (None: to the end), how often a report of an interval, whom, in which detail, and
    what is a failure.

    ``timeline_pages``: of the ring buffer for single events, 0: there are none. ``live``: the
    screen, None: there is none.
    """

    duration_ns: int | None
    interval_ns: int | None
    children: bool
    detail: Detail
    fail_on: tuple[str, ...] = ()
    python: PythonWish = _DEFAULT
    timeline_pages: int = 0
    live: Live | None = None

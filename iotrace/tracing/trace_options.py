# SPDX-License-Identifier: Apache-2.0
"""What a trace is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iotrace.engine.map_limits import Limits

if TYPE_CHECKING:
    from iotrace.report.detail import Detail


@dataclass(frozen=True, slots=True)
class PythonOptions:
    """Whether Python's stacks are followed, and for calls of which latency at least."""

    enabled: bool = True
    min_latency_ns: int = 1_000_000


_DEFAULT = PythonOptions()


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """``duration_ns`` None: to the end of the targets. ``interval_ns`` None: one report only.

    ``timeline_pages``: size of the ring buffer for single events, 0: none are streamed.
    """

    duration_ns: int | None
    interval_ns: int | None
    children: bool
    detail: Detail
    python: PythonOptions = _DEFAULT
    timeline_pages: int = 0

    def limits(self) -> Limits:
        """Before the size of the targets is known."""
        return Limits(
            timeline_pages=self.timeline_pages,
            python=self.python.enabled,
            detail=self.detail,
        )

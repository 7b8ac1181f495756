# SPDX-License-Identifier: Apache-2.0
"""The line that shows, on a terminal, that tracing goes on."""

from __future__ import annotations

import sys

from iotrace.output.units import format_count
from iotrace.report.detail import Detail
from iotrace.tracing.trace import Trace

_EVERY_NS = 500_000_000
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Nothing at all where stderr is no terminal."""

    def __init__(self, duration_ns: int | None) -> None:
        """``duration_ns``: how long the trace shall last, None: nobody knows."""
        self._duration_ns = duration_ns
        self._next_ns = 0
        self._shown = False
        self._on = sys.stderr.isatty()

    def show(self, now_ns: int, trace: Trace) -> None:
        """Draw it anew, twice a second at most."""
        if not self._on or now_ns < self._next_ns:
            return
        self._next_ns = now_ns + _EVERY_NS
        passed = f"{(now_ns - trace.complete_ns) / 1e9:.0f} s"
        if self._duration_ns is not None:
            passed += f" of {self._duration_ns / 1e9:g} s"
        alive = len(trace.processes_alive())
        line = (
            f"tracing {alive} process{'' if alive == 1 else 'es'}, {passed}, "
            f"{format_count(trace.calls_seen())} {_what(trace)}; Ctrl-C ends it"
        )
        sys.stderr.write(_CLEAR + line[:79])
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._shown = False


def _what(trace: Trace) -> str:
    return "calls" if trace.probes.limits.detail is Detail.FULL else "sleeps in calls"

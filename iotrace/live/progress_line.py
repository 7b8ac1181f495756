"""The line that shows, on a terminal, that tracing goes on."""

from __future__ import annotations

import sys

from iotrace.output.units import format_count
from iotrace.report.detail import Detail
from iotrace.tracing.trace import Trace

_EVERY_NS = 500_000_000
_CLEAR = "\r\x1b[K"


class Progress:
    """Nothing at all where stderr is no terminal."""

    def __init__(self, begin_ns: int, until_ns: int | None) -> None:
        self._begin_ns = begin_ns
        self._until_ns = until_ns
        self._next_ns = begin_ns
        self._shown = False
        self._on = sys.stderr.isatty()

    def show(self, now_ns: int, trace: Trace) -> None:
        """Draw it anew, twice a second at most."""
        if not self._on or now_ns < self._next_ns:
            return
        self._next_ns = now_ns + _EVERY_NS
        passed = f"{(now_ns - self._begin_ns) / 1e9:.0f} s"
        if self._until_ns is not None:
            passed += f" of {(self._until_ns - self._begin_ns) / 1e9:g} s"
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

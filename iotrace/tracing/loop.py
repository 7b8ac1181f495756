"""Until a trace ends: progress, reports of intervals, looks at /proc; then its report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from iotrace.cli.sink import Sink
from iotrace.live.progress_line import Progress
from iotrace.report.model import Report
from iotrace.snapshot.arithmetic import interval
from iotrace.snapshot.model import Snapshot
from iotrace.tracing.dropping import Privileges
from iotrace.tracing.stop_conditions import Ending, tick, wait_for_ending
from iotrace.tracing.trace import Trace
from iotrace.tracing.trace_options import Plan

if TYPE_CHECKING:
    from iotrace.live.display import Live

_TICK_NS = 100_000_000
_FIRST_LOOK_NS = 1_000_000_000


class Watch:
    """Waits for the end; meanwhile shows progress, hands out interval reports, looks at /proc."""

    def __init__(
        self,
        trace: Trace,
        plan: Plan,
        sink: Sink,
        privileges: Privileges,
        alive: Callable[[], bool],
    ) -> None:
        self._trace = trace
        self._plan = plan
        self._sink = sink
        self._privileges = privileges
        self._alive = alive
        sink.tick(trace)
        begin = trace.started_ns
        self.until_ns = begin + plan.duration_ns if plan.duration_ns else None
        self._progress = Progress(begin, self.until_ns)
        self._last: Snapshot | None = None
        self._intervals = 0
        self._next_interval_ns = begin + plan.interval_ns if plan.interval_ns else None
        # Looks become rarer: what a long-lived process has open costs time to ask.
        self._look_ns = _FIRST_LOOK_NS
        self._next_look_ns = begin + _FIRST_LOOK_NS

    def wait(self, on_signal: Callable[[int, bool], bool]) -> Ending:
        """Until the end."""
        if self._plan.live is not None and self._plan.live.is_on:
            ending = self._wait_live(self._plan.live, on_signal)
            if ending is not None:
                return ending
        return wait_for_ending(
            until_ns=self.until_ns, tick_ns=_TICK_NS, on_tick=self._tick, on_signal=on_signal
        )

    def _wait_live(self, live: Live, on_signal: Callable[[int, bool], bool]) -> Ending | None:
        """None: the screen has failed; the trace has not, and is waited for without it."""

        def step() -> Ending | None:
            with self._privileges.looking():
                return tick(
                    until_ns=self.until_ns, tick_ns=0, on_tick=self._tick, on_signal=on_signal
                )

        with self._privileges.resting():
            return live.show(self._trace, self._plan.duration_ns, step)

    def finish(self) -> Report:
        """The report of the whole trace."""
        self._progress.clear()
        self._sink.tick(self._trace)
        snapshot = self._trace.snapshot()
        self._trace.look()
        return self._trace.report(snapshot)

    def _tick(self) -> bool:
        now = time.monotonic_ns()
        self._sink.tick(self._trace)
        self._trace.processes_alive()
        if now >= self._next_look_ns:
            self._trace.look(sockets=False)
            self._look_ns *= 8
            self._next_look_ns = now + self._look_ns
        if self._plan.live is not None and self._plan.live.is_on:
            self._plan.live.refresh(now, self._trace)
            return self._alive()
        if self._next_interval_ns is not None and now >= self._next_interval_ns:
            self._report_interval()
            self._next_interval_ns += self._plan.interval_ns or 0
        self._progress.show(now, self._trace)
        return self._alive()

    def _report_interval(self) -> None:
        self._progress.clear()
        snapshot = self._trace.snapshot()
        self._trace.look()
        part = interval(snapshot, self._last) if self._last else snapshot
        self._last = snapshot
        self._intervals += 1
        report = replace(self._trace.report(part), interval=self._intervals)
        with self._privileges.resting():
            self._sink.interval(report)

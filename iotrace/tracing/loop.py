# SPDX-License-Identifier: Apache-2.0
"""The loop of a trace: what is due while it goes on, whatever waits for its end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from iotrace.privileges.privilege_drop import Privileges
from iotrace.report.model import Report
from iotrace.snapshot.arithmetic import interval, threads_only
from iotrace.snapshot.snapshot import Snapshot
from iotrace.tracing.stop_conditions import Stop, poll_stop
from iotrace.tracing.trace import Trace
from iotrace.tracing.trace_options import TraceOptions
from iotrace.tracing.wanted import Newcomers

_TICK_NS = 100_000_000
_FIRST_LOOK_NS = 1_000_000_000
_LOOK_GROWTH = 8
"""Looks become rarer: asking what a long-lived process has open takes time."""


class Observer(Protocol):
    """Follows a trace."""

    def tick(self, trace: Trace) -> None:
        """At each tick, and once more when the trace is over."""


class ReportSink(Observer, Protocol):
    """Where the reports of a trace go: printed, or into a recording."""

    def interval(self, report: Report) -> None:
        """The report of one interval, as soon as it is over."""

    def snapshot(self, snapshot: Snapshot, trace: Trace) -> None:
        """The totals at the end of an interval and of the trace, before their report is made."""

    def finish(self, report: Report) -> None:
        """The report of the whole trace."""

    def close(self) -> None:
        """Whether or not it was finished: leave nothing half done."""


class Progress(Protocol):
    """Shows on a terminal that tracing goes on."""

    def show(self, now_ns: int, trace: Trace) -> None:
        """Draw it anew, if it is time."""

    def clear(self) -> None:
        """Remove it."""


class Screen(Protocol):
    """Shows the trace as it goes on, with an event loop of its own."""

    is_on: bool

    def refresh(self, now_ns: int, trace: Trace) -> None:
        """Take a new picture of the trace, if it is time."""

    def show(
        self, trace: Trace, duration_ns: int | None, step: Callable[[], Stop | None]
    ) -> Stop | None:
        """Until ``step`` says why the trace ends or a key ends it; None: the screen failed.

        Raises what ``step`` raises.
        """


def _look_delays_ns() -> Iterator[int]:
    delay_ns = _FIRST_LOOK_NS
    while True:
        yield delay_ns
        delay_ns *= _LOOK_GROWTH


class TraceLoop:
    """Looks at /proc, reports of intervals, progress: all that a trace needs in time.

    ``wait`` waits for the end. A caller that waits for something else calls ``tick`` meanwhile.
    ``until_ns``: when the duration is over, on CLOCK_MONOTONIC; None: never.
    """

    def __init__(
        self,
        trace: Trace,
        observer: Observer,
        *,
        alive: Callable[[], bool],
        duration_ns: int | None = None,
        interval_ns: int | None = None,
        on_snapshot: Callable[[Snapshot, Trace], None] = lambda snapshot, trace: None,
        on_interval: Callable[[Report], None] = lambda report: None,
        progress: Progress | None = None,
        screen: Screen | None = None,
        privileges: Privileges | None = None,
        look_delays_ns: Iterable[int] | None = None,
        look_at_sockets: bool = False,
        newcomers: Newcomers | None = None,
        thorough_every: int = 1,
    ) -> None:
        """The loop begins with the trace, its looks at /proc now.

        ``alive``: whether there is anything left to trace. ``interval_ns``: how
        often a report of an interval is made; ``on_snapshot``, ``on_interval`` take what it is made
        of and what it is. ``privileges``: put away while
        something is printed. ``look_delays_ns``: from each look to the next. ``newcomers``: more
        processes may join, so that the trace does not end with those that there are.
        ``thorough_every``: of so many intervals one looks at /proc, has all its rows and is judged,
        which is most of the work; the others tell of threads and exchanges.
        """
        self._trace = trace
        self._observer = observer
        self._alive = alive
        self._duration_ns = duration_ns
        self._interval_ns = interval_ns
        self._on_snapshot = on_snapshot
        self._on_interval = on_interval
        self._progress = progress
        self._screen = screen
        self._privileges = privileges
        self._look_delays_ns = iter(_look_delays_ns() if look_delays_ns is None else look_delays_ns)
        self._look_at_sockets = look_at_sockets
        self._newcomers = newcomers
        self._thorough_every = thorough_every
        observer.tick(trace)
        begin_ns = trace.started_ns
        # A trace as long as was asked for, with lines: on a busy machine these are seconds late.
        self.until_ns = trace.complete_ns + duration_ns if duration_ns else None
        self._last: Snapshot | None = None
        self._intervals = 0
        self._next_interval_ns = begin_ns + interval_ns if interval_ns else None
        self._next_look_ns = self._after(time.monotonic_ns())

    @classmethod
    def of_options(
        cls,
        trace: Trace,
        options: TraceOptions,
        sink: ReportSink,
        alive: Callable[[], bool],
        privileges: Privileges,
        progress: Progress | None,
        screen: Screen | None = None,
        newcomers: Newcomers | None = None,
    ) -> TraceLoop:
        """The loop of a trace whose reports go to ``sink``."""
        return cls(
            trace,
            sink,
            alive=alive,
            duration_ns=options.duration_ns,
            interval_ns=options.interval_ns,
            on_snapshot=sink.snapshot,
            on_interval=sink.interval,
            progress=progress,
            screen=screen,
            privileges=privileges,
            newcomers=newcomers,
        )

    def wait(self, on_signal: Callable[[int, bool], bool]) -> Stop:
        """Until the end, inside ``signals_held``. ``on_signal``: see ``poll_stop``."""
        if self._screen is not None and self._screen.is_on:
            stop = self._wait_on_screen(self._screen, on_signal)
            if stop is not None:
                return stop
        while True:
            stop = self._poll(_TICK_NS, on_signal)
            if stop is not None:
                return stop

    def _wait_on_screen(
        self, screen: Screen, on_signal: Callable[[int, bool], bool]
    ) -> Stop | None:
        """None: the screen has failed; the trace has not, and is waited for without it."""

        def step() -> Stop | None:
            with self._looking():
                return self._poll(0, on_signal)

        with self._resting():
            return screen.show(self._trace, self._duration_ns, step)

    def _poll(self, timeout_ns: int, on_signal: Callable[[int, bool], bool]) -> Stop | None:
        return poll_stop(
            until_ns=self.until_ns, timeout_ns=timeout_ns, on_tick=self.tick, on_signal=on_signal
        )

    def tick(self) -> bool:
        """Do what is due, and never wait. False: the targets are gone."""
        now_ns = time.monotonic_ns()
        self._observer.tick(self._trace)
        self._trace.processes_alive()
        if self._newcomers is not None:
            self._newcomers.join(now_ns, self._trace)
        if self._next_look_ns is not None and now_ns >= self._next_look_ns:
            self._trace.look(sockets=self._look_at_sockets)
            self._next_look_ns = self._after(now_ns)
        if self._screen is not None and self._screen.is_on:
            self._screen.refresh(now_ns, self._trace)
            return self._goes_on()
        if self._next_interval_ns is not None and now_ns >= self._next_interval_ns:
            self.report_interval()
            self._next_interval_ns += self._interval_ns or 0
        if self._progress is not None:
            self._progress.show(now_ns, self._trace)
        return self._goes_on()

    def _goes_on(self) -> bool:
        return self._newcomers is not None or self._alive()

    def finish(self) -> Report:
        """The report of the whole trace."""
        self._clear_progress()
        self._observer.tick(self._trace)
        snapshot = self._trace.snapshot()
        self._on_snapshot(snapshot, self._trace)
        self._trace.look()
        return self._trace.report(snapshot)

    def report_interval(self) -> None:
        """Report what happened since the last interval."""
        self._clear_progress()
        snapshot = self._trace.snapshot()
        self._on_snapshot(snapshot, self._trace)
        thorough = self._intervals % self._thorough_every == 0
        if thorough:
            self._trace.look()
        after, before = snapshot, self._last
        if not thorough:
            after, before = threads_only(after), threads_only(before) if before else None
        part = interval(after, before) if before else after
        self._last = self._trace.discard_ended(snapshot)
        self._intervals += 1
        report = self._trace.report(part, judged=thorough)
        report = replace(report, interval=self._intervals)
        with self._resting():
            self._on_interval(report)

    def _after(self, now_ns: int) -> int | None:
        """When to look next."""
        delay_ns = next(self._look_delays_ns, None)
        return None if delay_ns is None else now_ns + delay_ns

    def _clear_progress(self) -> None:
        if self._progress is not None:
            self._progress.clear()

    def _resting(self) -> contextlib.AbstractContextManager[None]:
        return self._privileges.resting() if self._privileges else contextlib.nullcontext()

    def _looking(self) -> contextlib.AbstractContextManager[None]:
        return self._privileges.looking() if self._privileges else contextlib.nullcontext()

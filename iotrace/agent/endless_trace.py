# SPDX-License-Identifier: Apache-2.0
"""The trace of an agent: it has no end, and forgets what has ended once that is counted."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from iotrace.agent.exporter import Exporter
from iotrace.agent.listen import Address, open_listener
from iotrace.agent.outlets import MetricsSink, Outlets, say
from iotrace.agent.pusher import Pusher
from iotrace.discovery.selection import Finder
from iotrace.discovery.selectors import Selector
from iotrace.engine.compile_workers import CompileWorkers
from iotrace.engine.features import absent_features
from iotrace.engine.image_source import ImageSource
from iotrace.engine.map_limits import limits_for, with_room_for_more
from iotrace.errors import IotraceError
from iotrace.privileges.capabilities import require_privileges
from iotrace.privileges.privilege_drop import Privileges
from iotrace.report.model import Report
from iotrace.snapshot.snapshot import Snapshot
from iotrace.target_reader.reader import TargetReader
from iotrace.tracing.loop import ReportSink, TraceLoop
from iotrace.tracing.start import Start
from iotrace.tracing.stop_conditions import signals_held
from iotrace.tracing.trace import Trace
from iotrace.tracing.trace_options import TraceOptions
from iotrace.tracing.wanted import Newcomers

_THOROUGH_EVERY_NS = 60_000_000_000
"""Descriptors are looked at, and findings made, once a minute."""


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """``selectors``: what to trace. ``listen`` None: nothing is served. ``hosts``: see Exporter.

    ``push`` None: nothing is pushed, else the URL of an OTLP endpoint. ``text_file`` None: nothing
    is written. ``recorder``: makes one that keeps the last seconds, and writes them when something
    happens; ``on_signal``: whether a signal ends the agent. ``trace.interval_ns``: how often
    figures are new.
    """

    selectors: tuple[Selector, ...]
    trace: TraceOptions
    listen: Address | None
    hosts: tuple[str, ...]
    push: str | None
    text_file: str | None
    recorder: Callable[[], ReportSink] | None = None
    on_signal: Callable[[int], bool] = lambda number: True


def run_agent(options: AgentOptions, workers: CompileWorkers | None = None) -> None:
    """Until a signal ends it. Raises what attaching raises; Unsupported where it cannot serve."""
    require_privileges()
    every_ns = options.trace.interval_ns
    assert every_ns is not None
    with contextlib.ExitStack() as ends:
        ends.enter_context(signals_held())
        exporter = _exporter(options)
        if exporter is not None:
            ends.callback(exporter.close)
        pusher = Pusher(options.push) if options.push is not None else None
        sink = MetricsSink(Outlets(exporter, pusher, options.text_file))
        ends.callback(sink.close)
        reader = ends.enter_context(TargetReader())
        finder = Finder(options.selectors, reader)
        pids = tuple(sorted(finder.find()))
        limits = limits_for(pids, options.trace.limits())
        limits = with_room_for_more(limits)
        source = ImageSource(limits, absent_features(), workers)
        start = ends.enter_context(Start(source, reader))
        for pid in pids:
            with contextlib.suppress(IotraceError):  # it has ended meanwhile
                start.follow(pid, options.trace.children)
        min_latency_ns = options.trace.python.min_latency_ns
        with Trace(limits, None, min_latency_ns, start=start, keeps_ended=False) as trace:
            privileges = Privileges.drop_to_looking()
            observers: list[ReportSink] = [sink]
            if options.recorder is not None:
                with privileges.resting():
                    observers.append(options.recorder())
            both = _All(observers)
            loop = TraceLoop(
                trace,
                both,
                alive=lambda: True,
                interval_ns=every_ns,
                on_snapshot=both.snapshot,
                on_interval=both.interval,
                privileges=privileges,
                look_delays_ns=(),
                thorough_every=max(1, _THOROUGH_EVERY_NS // every_ns),
                newcomers=Newcomers(
                    finder,
                    children=options.trace.children,
                    every_ns=every_ns,
                ),
            )
            say(f"tracing {len(pids)} processes ({options.trace.detail.value} detail)")
            if exporter is not None:
                say(f"metrics at {exporter.address}")
            if pusher is not None:
                say(f"metrics are pushed to {pusher.url}")
            loop.wait(lambda number, from_terminal: options.on_signal(number))
            loop.report_interval()
            if options.recorder is not None:  # that interval may have fired a trigger
                both.snapshot(trace.snapshot(), trace)
            privileges.give_up()
            both.finish(both.last)


class _All:
    """Several, each with all of it."""

    def __init__(self, sinks: Sequence[ReportSink]) -> None:
        self._sinks = sinks
        self._last: Report | None = None

    @property
    def last(self) -> Report:
        """The report of the last interval."""
        assert self._last is not None
        return self._last

    def tick(self, trace: Trace) -> None:
        for sink in self._sinks:
            sink.tick(trace)

    def snapshot(self, snapshot: Snapshot, trace: Trace) -> None:
        for sink in self._sinks:
            sink.snapshot(snapshot, trace)

    def interval(self, report: Report) -> None:
        self._last = report
        for sink in self._sinks:
            sink.interval(report)

    def finish(self, report: Report) -> None:
        for sink in self._sinks:
            sink.finish(report)


def _exporter(options: AgentOptions) -> Exporter | None:
    if options.listen is None:
        return None
    names = {"localhost", socket.gethostname().lower(), *map(str.lower, options.hosts)}
    return Exporter(open_listener(options.listen), options.listen, names)

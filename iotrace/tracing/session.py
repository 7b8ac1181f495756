# SPDX-License-Identifier: Apache-2.0
"""A whole trace, as ``attach``, ``run`` and ``record`` make it: from privileges to the report."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from iotrace.engine.features import absent_features
from iotrace.engine.image_source import ImageSource
from iotrace.engine.map_limits import count_threads, limits_for, with_room_for_more
from iotrace.engine.pid_namespace import require_own_proc
from iotrace.errors import NoSuchProcess
from iotrace.privileges.capabilities import require_privileges
from iotrace.target_reader.reader import TargetReader
from iotrace.tracing.stop_conditions import (
    Stop,
    discard_pending_signals,
    signals_held,
    wait_for_end,
)
from iotrace.tracing.target_check import runs_python
from iotrace.tracing.wanted import Newcomers, Wanted

if TYPE_CHECKING:
    from iotrace.engine.compile_workers import CompileWorkers
    from iotrace.report.model import Report
    from iotrace.tracing.loop import Progress, ReportSink, Screen
    from iotrace.tracing.trace_options import TraceOptions

MakeOutput: TypeAlias = "Callable[[], Callable[[], tuple[ReportSink, Progress]]]"
"""Imports what the reports need; what it returns opens the sink."""


def trace_processes(
    wanted: Wanted,
    options: TraceOptions,
    make_output: MakeOutput,
    *,
    screen: Screen | None = None,
    workers: CompileWorkers | None = None,
    on_signal: Callable[[int], bool] = lambda number: True,
) -> Report:
    """Trace running processes until the trace stops; the sink has the report, too.

    With ``wanted.follow`` it goes on when they have ended, for others may come.

    Nothing but what charging takes is imported before it has begun. The sink is opened when the
    probes are attached and most privileges are given back. ``workers``: see ImageSource.
    ``on_signal``: whether a signal ends it. Raises
    NoSuchProcess where no thread of the processes was seen.
    """
    require_privileges()
    with contextlib.ExitStack() as ends:
        ends.enter_context(signals_held())
        reader = ends.enter_context(TargetReader())

        from iotrace.tracing.start import Start  # while the reader starts

        pids, finder = wanted.resolve(reader)
        python = options.python.enabled and (
            wanted.follow or any(runs_python(pid, reader) for pid in pids)
        )
        limits = limits_for(pids, replace(options.limits(), python=python))
        if wanted.follow:
            limits = with_room_for_more(limits)
        source = ImageSource(limits, absent_features(), workers)
        start = ends.enter_context(Start(source, reader))
        if options.timeline_pages:
            start.stream_events()
        # One that begins more threads than there is room for takes it from none of the others.
        for pid in sorted(pids, key=count_threads):
            start.follow(pid, options.children)

        from iotrace.privileges.privilege_drop import Privileges
        from iotrace.tracing.loop import TraceLoop
        from iotrace.tracing.trace import Trace

        open_output = make_output()
        with Trace(limits, min_latency_ns=options.python.min_latency_ns, start=start) as trace:
            privileges = Privileges.drop_to_looking()
            with privileges.resting():
                sink, progress = open_output()
                ends.enter_context(contextlib.closing(sink))

            def alive() -> bool:
                return bool(trace.processes_alive())

            loop = TraceLoop.of_options(
                trace,
                options,
                sink,
                alive,
                privileges,
                progress,
                screen,
                newcomers=Newcomers(finder, children=options.children)
                if finder is not None and wanted.follow
                else None,
            )
            loop.wait(lambda number, from_terminal: on_signal(number))
            report = loop.finish()
            privileges.give_up()
        discard_pending_signals()
        if not report.processes:
            raise NoSuchProcess(
                "The processes ended before anything was seen.",
                why="No thread of them was alive when the probes were attached.",
                paste="sudo iotrace run -- CMD   # traces from the first instruction",
            )
        sink.finish(report)
    return report


def trace_program(
    command: tuple[str, ...], options: TraceOptions, make_output: MakeOutput
) -> tuple[Report, int]:
    """Run a program and trace it to its end; the report (the sink has it, too) and exit status.

    With a duration the program is told to end once the report is taken.
    """
    require_privileges()
    require_own_proc()
    with contextlib.ExitStack() as ends:
        ends.enter_context(signals_held())
        limits = options.limits()
        source = ImageSource(limits, absent_features())

        from iotrace.tracing.start import Start

        start = ends.enter_context(Start(source))
        if options.timeline_pages:
            start.stream_events()

        from iotrace.privileges.caller import sudo_caller
        from iotrace.privileges.privilege_drop import Privileges
        from iotrace.tracing.child import Child
        from iotrace.tracing.loop import TraceLoop
        from iotrace.tracing.trace import Trace

        open_output = make_output()
        with Trace(limits, min_latency_ns=options.python.min_latency_ns, start=start) as trace:
            trace.probes.settle()  # no thread of ours while we fork
            child = Child(command, sudo_caller())
            trace.follow_at_exec(child.pid, options.children)
            privileges = Privileges.drop_to_looking()
            with privileges.resting():
                sink, progress = open_output()
                ends.enter_context(contextlib.closing(sink))
            child.release()

            def pass_on(number: int, from_terminal: bool) -> bool:
                # The terminal has sent it to the whole group: the program has it already.
                if not from_terminal:
                    child.pass_on(number)
                return False

            loop = TraceLoop.of_options(
                trace, options, sink, lambda: not child.ended(), privileges, progress
            )
            stop = loop.wait(pass_on)
            report = loop.finish()  # of a program that runs: it may hang
            if stop is Stop.DURATION:
                child.pass_on(signal.SIGTERM)
            privileges.give_up()
        discard_pending_signals()
        sink.finish(report)  # before it has ended: it may ignore the signal
        wait_for_end(child.ended, pass_on)
    return report, child.wait()

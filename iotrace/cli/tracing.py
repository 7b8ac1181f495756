"""What ``attach`` and ``run`` share: trace until it ends, then print."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import click

from iotrace.engine.features import absent_features
from iotrace.engine.namespace import require_own_proc
from iotrace.engine.privileges import require_privileges
from iotrace.engine.program import Limits
from iotrace.engine.supply import Supply
from iotrace.errors import ExitCode, NoSuchProcess
from iotrace.tracing.room import limits_for
from iotrace.tracing.stop_conditions import signals_held
from iotrace.tracing.target import check_target, runs_python
from iotrace.tracing.trace_options import Plan

if TYPE_CHECKING:
    from iotrace.cli.sink import Sink
    from iotrace.engine.workshop import Workshop
    from iotrace.report.detail import Detail
    from iotrace.report.model import Report

MakeSink: TypeAlias = "Callable[[], Callable[[], Sink]]"
"""Imports what its reports need; what it returns opens the sink."""


def trace_processes(
    pids: tuple[int, ...], plan: Plan, make_sink: MakeSink, workshop: Workshop | None = None
) -> int:
    """``attach``: the exit code.

    Nothing but what charging takes is imported before it has begun. The sink is opened when the
    probes are attached and most privileges are given back. ``workshop``: see Supply.
    """
    require_privileges()
    for pid in pids:
        check_target(pid)
    with contextlib.ExitStack() as ends:
        ends.enter_context(signals_held())
        python = plan.python.enabled and any(map(runs_python, pids))
        limits = limits_for(pids, replace(_limits(plan), python=python))
        supply = Supply(limits, absent_features(), workshop)

        from iotrace.tracing.start import Start

        start = ends.enter_context(Start(supply))
        for pid in pids:
            start.follow(pid, plan.children)

        from iotrace.tracing.dropping import Privileges
        from iotrace.tracing.loop import Watch
        from iotrace.tracing.trace import Trace

        open_sink = make_sink()
        with Trace(limits, min_latency_ns=plan.python.min_latency_ns, start=start) as trace:
            privileges = Privileges.drop_to_looking()
            with privileges.resting():
                sink = ends.enter_context(contextlib.closing(open_sink()))
            watch = Watch(trace, plan, sink, privileges, lambda: bool(trace.processes_alive()))
            watch.wait(lambda number, from_terminal: True)
            report = watch.finish()
            privileges.give_up()
        _forget_signals()
        code = _exit_code(report, plan.fail_on)
        sink.finish(report)
    return code


def try_attaching(detail: Detail, workshop: Workshop | None) -> int:
    """``attach --dry-run``: compile, attach, detach; says on stderr what was done."""
    from iotrace.tracing.dropping import drop_all
    from iotrace.tracing.start import Start

    require_privileges()
    begin_ns = time.monotonic_ns()
    with Start(Supply(Limits(detail=detail), absent_features(), workshop)) as start:
        probes = start.probes
        probes.settle()
        drop_all()
        passed_ms = (time.monotonic_ns() - begin_ns) // 1_000_000
        click.echo(
            f"{probes.attached()} probes attached in {passed_ms} ms, "
            f"{probes.memory_bytes() >> 20} MiB of kernel memory; detached again.",
            err=True,
        )
        for column, reason in probes.unavailable.items():
            click.echo(f"  n/a: {column}: {reason}", err=True)
    return ExitCode.OK


def trace_program(command: tuple[str, ...], plan: Plan, make_sink: MakeSink) -> int:
    """``run``: the program's exit status; where that is 0, FAIL_ON if a finding is a failure."""
    require_privileges()
    require_own_proc()
    with contextlib.ExitStack() as ends:
        ends.enter_context(signals_held())
        limits = _limits(plan)
        supply = Supply(limits, absent_features())

        from iotrace.tracing.start import Start

        start = ends.enter_context(Start(supply))

        from iotrace.tracing.caller import sudo_caller
        from iotrace.tracing.child import Child
        from iotrace.tracing.dropping import Privileges
        from iotrace.tracing.loop import Watch
        from iotrace.tracing.stop_conditions import Ending
        from iotrace.tracing.trace import Trace
        from iotrace.verdict.gate import fires

        open_sink = make_sink()
        with Trace(limits, min_latency_ns=plan.python.min_latency_ns, start=start) as trace:
            trace.probes.settle()  # no thread of ours while we fork
            child = Child(command, sudo_caller())
            trace.follow_at_exec(child.pid, plan.children)
            privileges = Privileges.drop_to_looking()
            with privileges.resting():
                sink = ends.enter_context(contextlib.closing(open_sink()))
            child.release()

            def pass_on(number: int, from_terminal: bool) -> bool:
                # The terminal has sent it to the whole group: the program has it already.
                if not from_terminal:
                    child.pass_on(number)
                return False

            watch = Watch(trace, plan, sink, privileges, lambda: not child.ended())
            if watch.wait(pass_on) is Ending.DURATION:
                child.pass_on(signal.SIGTERM)
                watch.until_ns = None
                watch.wait(pass_on)
            report = watch.finish()
            privileges.give_up()
        _forget_signals()
        sink.finish(report)
    status = child.wait()
    return ExitCode.FAIL_ON if not status and fires(report.findings, plan.fail_on) else status


def _limits(plan: Plan) -> Limits:
    return Limits(
        timeline_pages=plan.timeline_pages, python=plan.python.enabled, detail=plan.detail
    )


def _forget_signals() -> None:
    """A second Ctrl-C in the same moment must not cost the report."""
    while signal.sigtimedwait((signal.SIGINT, signal.SIGCHLD), 0) is not None:
        pass


def _exit_code(report: Report, fail_on: tuple[str, ...]) -> int:
    from iotrace.verdict.gate import fires

    if not report.processes:
        raise NoSuchProcess(
            "The processes ended before anything was seen.",
            why="No thread of them was alive when the probes were attached.",
            paste="sudo iotrace run -- CMD   # traces from the first instruction",
        )
    if fires(report.findings, fail_on):
        return ExitCode.FAIL_ON
    return ExitCode.INCOMPLETE if report.quality.lost.total else ExitCode.OK

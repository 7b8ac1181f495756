"""What ``attach`` and ``run`` share: trace until it ends, then print."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import replace

import click

from iotrace.cli.live import Live
from iotrace.cli.plan import Plan
from iotrace.cli.progress import Progress
from iotrace.cli.sink import Sink
from iotrace.engine.namespace import require_own_proc
from iotrace.engine.privileges import require_privileges
from iotrace.engine.program import Limits
from iotrace.errors import ExitCode, NoSuchProcess
from iotrace.report.detail import Detail
from iotrace.report.model import Report
from iotrace.snapshot.arithmetic import interval
from iotrace.snapshot.model import Snapshot
from iotrace.tracing.caller import sudo_caller
from iotrace.tracing.child import Child
from iotrace.tracing.dropping import Privileges, drop_all
from iotrace.tracing.ending import Ending, signals_held, tick, wait_for_ending
from iotrace.tracing.target import check_target, runs_python
from iotrace.tracing.trace import Trace, limits_for
from iotrace.verdict.gate import fires

_TICK_NS = 100_000_000
_FIRST_LOOK_NS = 1_000_000_000


def trace_processes(pids: tuple[int, ...], plan: Plan, open_sink: Callable[[], Sink]) -> int:
    """``attach``: the exit code.

    ``open_sink`` is called when the probes are attached and most privileges are given back.
    """
    require_privileges()
    for pid in pids:
        check_target(pid)
    with contextlib.ExitStack() as ends:
        ends.enter_context(signals_held())
        python = plan.python.enabled and any(map(runs_python, pids))
        limits = limits_for(pids, replace(_limits(plan), python=python))
        with Trace(limits, min_latency_ns=plan.python.min_latency_ns) as trace:
            for pid in pids:
                trace.follow(pid, plan.children)
            privileges = Privileges.drop_to_looking()
            with privileges.resting():
                sink = ends.enter_context(contextlib.closing(open_sink()))
            watch = _Watch(trace, plan, sink, privileges, lambda: bool(trace.processes_alive()))
            watch.wait(lambda number, from_terminal: True)
            report = watch.finish()
            privileges.give_up()
        _forget_signals()
        code = _exit_code(report, plan.fail_on)
        sink.finish(report)
    return code


def try_attaching(detail: Detail) -> int:
    """``attach --dry-run``: compile, attach, detach; says on stderr what was done."""
    require_privileges()
    begin_ns = time.monotonic_ns()
    with Trace(Limits(detail=detail)) as trace:
        drop_all()
        passed_ms = (time.monotonic_ns() - begin_ns) // 1_000_000
        probes = trace.probes
        click.echo(
            f"{probes.attached()} probes attached in {passed_ms} ms, "
            f"{probes.memory_bytes() >> 20} MiB of kernel memory; detached again.",
            err=True,
        )
        for column, reason in probes.unavailable.items():
            click.echo(f"  n/a: {column}: {reason}", err=True)
    return ExitCode.OK


def trace_program(command: tuple[str, ...], plan: Plan, open_sink: Callable[[], Sink]) -> int:
    """``run``: the program's exit status; where that is 0, FAIL_ON if a finding is a failure."""
    require_privileges()
    require_own_proc()
    with contextlib.ExitStack() as ends:
        ends.enter_context(signals_held())
        with Trace(_limits(plan), min_latency_ns=plan.python.min_latency_ns) as trace:
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

            watch = _Watch(trace, plan, sink, privileges, lambda: not child.ended())
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


class _Watch:
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


def _forget_signals() -> None:
    """A second Ctrl-C in the same moment must not cost the report."""
    while signal.sigtimedwait((signal.SIGINT, signal.SIGCHLD), 0) is not None:
        pass


def _exit_code(report: Report, fail_on: tuple[str, ...]) -> int:
    if not report.processes:
        raise NoSuchProcess(
            "The processes ended before anything was seen.",
            why="No thread of them was alive when the probes were attached.",
            paste="sudo iotrace run -- CMD   # traces from the first instruction",
        )
    if fires(report.findings, fail_on):
        return ExitCode.FAIL_ON
    return ExitCode.INCOMPLETE if report.quality.lost.total else ExitCode.OK

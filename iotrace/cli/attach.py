# SPDX-License-Identifier: Apache-2.0
"""``iotrace attach``: trace processes that are running."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from iotrace.cli.options import Shown, output_options, tracing_options
from iotrace.cli.parameter_types import Pid
from iotrace.cli.selector_options import selector_options
from iotrace.errors import ExitCode

if TYPE_CHECKING:
    from iotrace.cli.printer import Printer
    from iotrace.discovery.selectors import Selector
    from iotrace.engine.compile_workers import CompileWorkers
    from iotrace.live.display import LiveDisplay
    from iotrace.live.progress_line import ProgressLine
    from iotrace.report.detail import Detail
    from iotrace.tracing.trace_options import TraceOptions


@click.command(name="attach", short_help="Trace running processes.")
@click.argument("pids", metavar="PID...", nargs=-1, type=Pid())
@click.option("-p", "--pid", "more_pids", multiple=True, type=Pid(), help="One more PID.")
@selector_options(follow=True)
@click.option(
    "--dry-run", is_flag=True, help="Compile and attach the probes, detach them, and that is all."
)
@click.option(
    "--live/--no-live",
    default=True,
    show_default=True,
    help="Show a live screen while tracing, if this is a terminal and textual is installed.",
)
@tracing_options
@output_options
@click.pass_obj
def command(
    workers: CompileWorkers | None,
    pids: tuple[int, ...],
    more_pids: tuple[int, ...],
    selectors: tuple[Selector, ...],
    follow: bool,
    dry_run: bool,
    live: bool,
    options: TraceOptions,
    fail_on: tuple[str, ...],
    shown: Shown,
    verbose: bool,
) -> int:
    """Trace running processes, their threads and their children.

    Name them by pid, or by what they are: --port 8000. Ends with a full report on Ctrl-C, after
    --duration, or when the processes have ended.
    """
    if dry_run:
        return _dry_run(options.detail, workers)
    pids = tuple(dict.fromkeys((*pids, *more_pids)))
    if not pids and not selectors:
        raise click.UsageError("Say what to trace: iotrace attach 4242, iotrace attach --port 8000")

    from iotrace.tracing.session import trace_processes
    from iotrace.tracing.wanted import Wanted

    def output() -> Callable[[], tuple[Printer, ProgressLine]]:
        # All of it now: the user who called may not be allowed to read where the modules lie.
        import iotrace.cli.exit_codes  # noqa: F401
        from iotrace.cli.printer import Printer
        from iotrace.live.progress_line import ProgressLine

        return lambda: (
            Printer(shown, intervals=options.interval_ns is not None),
            ProgressLine(options.duration_ns),
        )

    screen = _live_display(shown, options.interval_ns) if live else None
    wanted = Wanted(pids, selectors, follow)
    report = trace_processes(wanted, options, output, screen=screen, workers=workers)

    from iotrace.cli.exit_codes import exit_code

    return exit_code(report, fail_on=fail_on)


def _how_to_get_textual() -> str:
    import sysconfig
    from pathlib import Path

    marker = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    if sys.prefix == sys.base_prefix and marker.exists():  # the Debian package: pip refuses there
        return "iotrace in a venv with textual>=8 (live.md, in /usr/share/doc/iotrace)"
    return f"{sys.executable} -m pip install 'textual>=8'"


def _live_display(shown: Shown, every_ns: int | None) -> LiveDisplay | None:
    """A screen for this terminal; None where there can be none.

    The three streams must be terminals (keys come by stdin, the screen goes to stderr, the report
    to stdout) and the report a table for it.
    """
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if shown.output is not None or shown.fmt != "table" or os.environ.get("TERM", "dumb") == "dumb":
        return None
    if not all(stream is not None and stream.isatty() for stream in streams):
        return None
    try:
        # Before anything is traced: it takes a while, and the tracer's CPU time is reported.
        import iotrace.live.screen  # noqa: F401
    except ImportError:
        sys.stderr.write(f"iotrace: for a live screen: {_how_to_get_textual()}\n")
        return None
    from iotrace.live.display import EVERY_NS, LiveDisplay
    from iotrace.output import color

    return LiveDisplay(every_ns or EVERY_NS, color.wanted_here(shown.color, True))


def _dry_run(detail: Detail, workers: CompileWorkers | None) -> int:
    """Compile, attach, detach; say on stderr what was done."""
    from iotrace.engine.features import absent_features
    from iotrace.engine.image_source import ImageSource
    from iotrace.engine.map_limits import Limits
    from iotrace.privileges.capabilities import require_privileges
    from iotrace.privileges.privilege_drop import drop_all
    from iotrace.tracing.start import Start

    require_privileges()
    begin_ns = time.monotonic_ns()
    with Start(ImageSource(Limits(detail=detail), absent_features(), workers)) as start:
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

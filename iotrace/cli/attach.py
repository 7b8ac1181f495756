"""``iotrace attach``: trace processes that are running."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from iotrace.cli.options import Shown, output_options, tracing_options
from iotrace.tracing.trace_options import Plan

if TYPE_CHECKING:
    from iotrace.cli.printing import Printer
    from iotrace.engine.workshop import Workshop


@click.command(name="attach", short_help="Trace running processes.")
@click.argument("pids", metavar="PID...", nargs=-1, type=click.IntRange(min=1))
@click.option(
    "-p", "--pid", "more_pids", multiple=True, type=click.IntRange(min=1), help="One more PID."
)
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
    workshop: Workshop | None,
    pids: tuple[int, ...],
    more_pids: tuple[int, ...],
    dry_run: bool,
    live: bool,
    plan: Plan,
    shown: Shown,
    verbose: bool,
) -> int:
    """Trace running processes, their threads and their children.

    Ends with a full report on Ctrl-C, after --duration, or when the processes have ended.
    """
    if dry_run:
        from iotrace.cli.tracing import try_attaching

        return try_attaching(plan.detail, workshop)
    wanted = tuple(dict.fromkeys((*pids, *more_pids)))
    if not wanted:
        raise click.UsageError("Give at least one PID: iotrace attach 4242")

    from iotrace.cli.tracing import trace_processes
    from iotrace.live.display import prepare

    def printer() -> Callable[[], Printer]:
        from iotrace.cli.printing import Printer

        return lambda: Printer(shown, intervals=plan.interval_ns is not None)

    plan = replace(plan, live=prepare(shown, plan.interval_ns) if live else None)
    return trace_processes(wanted, plan, printer, workshop)

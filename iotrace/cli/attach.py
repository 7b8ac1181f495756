"""``iotrace attach``: trace processes that are running."""

from __future__ import annotations

import click

from iotrace.cli.options import PythonWish, Shown, output_options, python_options, tracing_options


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
@python_options
@output_options
def command(
    pids: tuple[int, ...],
    more_pids: tuple[int, ...],
    dry_run: bool,
    live: bool,
    duration: int | None,
    interval: int | None,
    children: bool,
    python: PythonWish,
    fail_on: tuple[str, ...],
    detail: str,
    shown: Shown,
    verbose: bool,
) -> int:
    """Trace running processes, their threads and their children.

    Ends with a full report on Ctrl-C, after --duration, or when the processes have ended.
    """
    from iotrace.report.detail import Detail

    if dry_run:
        from iotrace.cli.tracing import try_attaching

        return try_attaching(Detail(detail))
    wanted = tuple(dict.fromkeys((*pids, *more_pids)))
    if not wanted:
        raise click.UsageError("Give at least one PID: iotrace attach 4242")

    from iotrace.cli.live import prepare
    from iotrace.cli.printing import Printer
    from iotrace.cli.tracing import Plan, trace_processes

    return trace_processes(
        wanted,
        Plan(
            duration_ns=duration,
            interval_ns=interval,
            children=children,
            python=python,
            fail_on=fail_on,
            detail=Detail(detail),
            live=prepare(shown, interval) if live else None,
        ),
        lambda: Printer(shown, intervals=interval is not None),
    )

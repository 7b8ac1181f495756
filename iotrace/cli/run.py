"""``iotrace run``: trace a program from its first instruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from iotrace.cli.options import Shown, output_options, tracing_options
from iotrace.tracing.trace_options import Plan

if TYPE_CHECKING:
    from iotrace.cli.printing import Printer


@click.command(
    name="run",
    short_help="Run a program and trace it from its start.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("program", metavar="-- CMD...", nargs=-1, type=click.UNPROCESSED, required=True)
@tracing_options
@output_options
def command(
    program: tuple[str, ...],
    plan: Plan,
    shown: Shown,
    verbose: bool,
) -> int:
    """Run a program and trace it from its first instruction to its end.

    The program runs as the user who called sudo; signals are passed on to it, and its exit status
    is returned. The report goes to standard error unless -o names a file, for standard output is
    the program's.
    """
    from iotrace.cli.tracing import trace_program

    def printer() -> Callable[[], Printer]:
        from iotrace.cli.printing import Printer

        return lambda: Printer(shown, to_stderr=True, intervals=plan.interval_ns is not None)

    return trace_program(program, plan, printer)

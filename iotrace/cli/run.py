# SPDX-License-Identifier: Apache-2.0
"""``iotrace run``: trace a program from its first instruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from iotrace.cli.options import Shown, output_options, tracing_options

if TYPE_CHECKING:
    from iotrace.cli.printer import Printer
    from iotrace.live.progress_line import ProgressLine
    from iotrace.tracing.trace_options import TraceOptions


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
    options: TraceOptions,
    fail_on: tuple[str, ...],
    shown: Shown,
    verbose: bool,
) -> int:
    """Run a program and trace it from its first instruction to its end.

    The program runs as the user who called sudo; signals are passed on to it, and its exit status
    is returned. The report goes to standard error unless -o names a file, for standard output is
    the program's.
    """
    from iotrace.tracing.session import trace_program

    def output() -> Callable[[], tuple[Printer, ProgressLine]]:
        # All of it now: the user who called may not be allowed to read where the modules lie.
        import iotrace.cli.exit_codes  # noqa: F401
        from iotrace.cli.printer import Printer
        from iotrace.live.progress_line import ProgressLine

        return lambda: (
            Printer(shown, to_stderr=True, intervals=options.interval_ns is not None),
            ProgressLine(options.duration_ns),
        )

    report, status = trace_program(program, options, output)

    from iotrace.cli.exit_codes import exit_code_of_program

    return exit_code_of_program(report, status, fail_on)

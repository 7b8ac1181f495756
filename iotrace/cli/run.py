"""``iotrace run``: trace a program from its first instruction."""

from __future__ import annotations

import click

from iotrace.cli.options import PythonWish, Shown, output_options, python_options, tracing_options


@click.command(
    name="run",
    short_help="Run a program and trace it from its start.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("program", metavar="-- CMD...", nargs=-1, type=click.UNPROCESSED, required=True)
@tracing_options
@python_options
@output_options
def command(
    program: tuple[str, ...],
    duration: int | None,
    interval: int | None,
    children: bool,
    python: PythonWish,
    fail_on: tuple[str, ...],
    detail: str,
    shown: Shown,
    verbose: bool,
) -> int:
    """Run a program and trace it from its first instruction to its end.

    The program runs as the user who called sudo; signals are passed on to it, and its exit status
    is returned. The report goes to standard error unless -o names a file, for standard output is
    the program's.
    """
    from iotrace.cli.printing import Printer
    from iotrace.cli.tracing import Plan, trace_program
    from iotrace.report.detail import Detail

    return trace_program(
        program,
        Plan(
            duration_ns=duration,
            interval_ns=interval,
            children=children,
            python=python,
            fail_on=fail_on,
            detail=Detail(detail),
        ),
        lambda: Printer(shown, to_stderr=True, intervals=interval is not None),
    )

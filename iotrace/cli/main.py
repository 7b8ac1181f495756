# SPDX-License-Identifier: Apache-2.0
"""The command line's entry: subcommands, and the one place where errors are printed."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from iotrace import __version__
from iotrace.errors import ExitCode, IotraceError

if TYPE_CHECKING:
    from iotrace.engine.compile_workers import CompileWorkers

_COMMANDS = {
    "attach": "iotrace.cli.attach",
    "run": "iotrace.cli.run",
    "record": "iotrace.cli.record",
    "report": "iotrace.cli.report",
    "compare": "iotrace.cli.compare",
    "tasks": "iotrace.cli.tasks",
    "agent": "iotrace.cli.agent",
    "demo": "iotrace.cli.demo",
    "models": "iotrace.cli.models",
    "explain": "iotrace.cli.explain",
    "doctor": "iotrace.cli.doctor",
}
"""Name -> module with a click command ``command``; imported when it is asked for."""


class _LazyGroup(click.Group):
    """A group whose commands are imported on demand: ``--help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name]).command
        return command


def command_modules() -> Mapping[str, str]:
    """The subcommands and their modules, in the order of ``--help``."""
    return dict(_COMMANDS)


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="iotrace")
def cli() -> None:
    """Where does my Python server wait?

    Follows a running program with eBPF probes and accounts for every nanosecond of every thread:
    computing, copying, in the kernel, ready but without a CPU, or asleep, and asleep for what.
    """


def report_error(error: IotraceError, *, verbose: bool) -> None:
    """What happened, why, and the line to paste, on stderr."""
    from iotrace.output.text import escape

    click.echo(f"iotrace: {escape(error.what)}", err=True)
    if error.why:
        click.echo(f"  why:  {escape(error.why)}", err=True)
    if error.paste:
        from iotrace.cli.called import with_this_program

        click.echo(f"  try:  {escape(with_this_program(error.paste))}", err=True)
    if error.details and verbose:
        click.echo("  details:", err=True)
        for line in error.details.splitlines():
            click.echo(f"    {escape(line)}", err=True)


def _reader_has_seen_enough() -> int:
    """Of a closed pipe (| head) nobody wants to hear."""
    _drop_what_is_left()
    return ExitCode.OK


def _drop_what_is_left() -> None:
    """Python would try once more at its exit to write what could not be written, and complain."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(workers: CompileWorkers | None = None) -> None:
    """Run the command line; never a traceback for what a user can act on.

    ``workers``: one that is open already, for ``attach``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 gets what it has
    verbose = any(argument in ("-v", "--verbose") for argument in sys.argv[1:])
    try:
        code = cli.main(standalone_mode=False, obj=workers)
        sys.stdout.flush()
    except click.exceptions.Abort:
        code = 128 + 2
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except IotraceError as error:
        report_error(error, verbose=verbose)
        _drop_what_is_left()
        code = error.code
    except KeyboardInterrupt:
        code = 128 + 2
    except SystemExit as ending:
        code = ending.code
        if code == 1:  # what click makes of a broken pipe; nobody here ends with it
            code = _reader_has_seen_enough()
    except BrokenPipeError:
        code = _reader_has_seen_enough()
    except Exception as error:
        if verbose:
            raise
        unexpected = IotraceError(
            "iotrace failed unexpectedly.",
            why=f"{type(error).__name__}: {error}",
            paste="run it again with -v, and report what it prints",
        )
        report_error(unexpected, verbose=False)
        code = unexpected.code
    sys.exit(int(code or 0))

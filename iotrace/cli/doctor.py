# SPDX-License-Identifier: Apache-2.0
"""``iotrace doctor``: what this host can and cannot do."""

from __future__ import annotations

import click


@click.command(name="doctor", short_help="What this host can do, and the line to paste if not.")
@click.option(
    "-f",
    "--format",
    "fmt",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="table, or json (which has the lines for every distribution).",
)
def command(fmt: str) -> int:
    """Try every feature that tracing needs, one by one, and then the probes themselves.

    The probes of each detail are compiled, attached, and checked against what a small process is
    known to do; that takes a few seconds. The versions of Python that run here are named, with
    what can be read of each. Each answer is ok, degraded (something is then n/a) or missing. Exits
    with 5 when attach cannot work.
    """
    from iotrace.cli.called import with_this_program
    from iotrace.cli.columns import columns
    from iotrace.doctor.examine import can_attach, examine
    from iotrace.doctor.render import as_json, as_table
    from iotrace.doctor.suggested_commands import place
    from iotrace.engine.features import absent_features
    from iotrace.errors import ExitCode
    from iotrace.privileges.privilege_drop import drop_all

    checks = examine(absent_features())
    drop_all()
    if fmt == "json":
        click.echo(as_json(checks, place()))
    else:
        click.echo(with_this_program(as_table(checks, place(), columns())))
    return ExitCode.OK if can_attach(checks) else ExitCode.UNSUPPORTED

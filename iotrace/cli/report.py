# SPDX-License-Identifier: Apache-2.0
"""``iotrace report``: print a recording."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from iotrace.cli.options import Shown, output_options
from iotrace.errors import ExitCode


@click.command(name="report", short_help="Print a recording in any format.")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--as-recorded",
    is_flag=True,
    help="Print the verdict that is stored in the file instead of judging by today's rules.",
)
@output_options
def command(file: str, as_recorded: bool, shown: Shown, verbose: bool) -> int:
    """Print a recording (or a report that -f json printed). Needs neither root nor eBPF.

    The verdict is by the rules of this version of iotrace, whichever version recorded the file.

    As jsonl it prints the interval samples first, then the report. A timeline (record --timeline)
    is exported with -f perfetto or -f chrome, for ui.perfetto.dev.
    """
    from iotrace.cli.exit_codes import exit_code
    from iotrace.cli.printer import Printer
    from iotrace.cli.timeline_export import export
    from iotrace.output.formats import TIMELINES
    from iotrace.privileges.privilege_drop import drop_all
    from iotrace.recording.recording_reader import read_recording
    from iotrace.verdict.judge import judge_recorded

    drop_all()
    if shown.fmt in TIMELINES:
        export(read_recording(Path(file), samples=False, timeline=True), shown)
        return ExitCode.OK
    # In this order: no -o file is made for a recording that cannot be read.
    recording = read_recording(Path(file), samples=shown.fmt == "jsonl")
    report = recording.report
    if not as_recorded:
        (report,) = judge_recorded(report)
    with contextlib.closing(Printer(shown)) as printer:
        for sample in recording.samples:
            printer.interval(sample)
        printer.finish(report)
    return exit_code(report)

"""``iotrace report``: print a recording."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from iotrace.cli.options import Shown, output_options
from iotrace.errors import ExitCode


@click.command(name="report", short_help="Print a recording in any format.")
@click.argument("file", type=click.Path(dir_okay=False))
@output_options
def command(file: str, shown: Shown, verbose: bool) -> int:
    """Print a recording (or a report that -f json printed). Needs neither root nor eBPF.

    As jsonl it prints the interval samples first, then the report. A timeline (record --timeline)
    is exported with -f perfetto or -f chrome, for ui.perfetto.dev.
    """
    from iotrace.cli.exporting import export
    from iotrace.cli.printing import Printer
    from iotrace.output.formats import TIMELINES
    from iotrace.privileges.privilege_drop import drop_all
    from iotrace.recording.reader import read_recording

    drop_all()
    if shown.fmt in TIMELINES:
        export(read_recording(Path(file), samples=False, timeline=True), shown)
        return ExitCode.OK
    # In this order: no -o file is made for a recording that cannot be read.
    recording = read_recording(Path(file), samples=shown.fmt == "jsonl")
    with contextlib.closing(Printer(shown)) as printer:
        for sample in recording.samples:
            printer.interval(sample)
        printer.finish(recording.report)
    return ExitCode.INCOMPLETE if recording.report.quality.lost.total else ExitCode.OK

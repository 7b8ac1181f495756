# SPDX-License-Identifier: Apache-2.0
"""``iotrace compare``: compare two recordings."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from iotrace.cli.options import Shown, output_options
from iotrace.errors import ExitCode


@click.command(name="compare", short_help="Compare two recordings.")
@click.argument("a", type=click.Path(dir_okay=False))
@click.argument("b", type=click.Path(dir_okay=False))
@click.option(
    "--fail-on-regression",
    "percent",
    metavar="PCT",
    type=click.FloatRange(min=0),
    help="Exit with 10 if a latency (of requests and their parts, upstreams, calls), a loop's lag, "
    "the CPU per call or the wait for a CPU is worse by more than this and beyond the noise.",
)
@output_options
def command(a: str, b: str, percent: float | None, shown: Shown, verbose: bool) -> int:
    """Compare two recordings: requests, states, calls, latencies, findings gone and new.

    The interval samples of both tell what differs by more than the noise. At least five are
    needed: record for ten seconds or more. The rules of this version judge both.
    """
    from dataclasses import replace

    from iotrace.cli.printer import Printer
    from iotrace.comparison.differences import compare, regressions, require_samples
    from iotrace.output import comparison_page as output
    from iotrace.privileges.privilege_drop import drop_all
    from iotrace.recording.recording_reader import read_recording
    from iotrace.verdict.judge import judge_recorded

    drop_all()
    output.check(shown.fmt)
    recordings = (read_recording(Path(a)), read_recording(Path(b)))
    judged = judge_recorded(*(recording.report for recording in recordings))
    side_a, side_b = (
        replace(recording, report=report)
        for recording, report in zip(recordings, judged, strict=True)
    )
    both = compare(side_a, side_b, (a, b))
    if percent is not None:
        require_samples(both)
    with contextlib.closing(Printer(shown)) as printer:
        printer.write(output.render(both, shown.fmt, printer.view()))
        printer.commit()
    worse = regressions(both, percent) if percent is not None else ()
    for one in worse:
        click.echo(f"iotrace: {output.in_words(one)}", err=True)
    return ExitCode.FAIL_ON if worse else ExitCode.OK

# SPDX-License-Identifier: Apache-2.0
"""``iotrace record``: keep what a trace found in a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from iotrace.cli.flight import Flight, ends_trace, flight_options
from iotrace.cli.options import DETAILS, detail_option, python_options
from iotrace.cli.parameter_types import Bytes, Seconds
from iotrace.cli.selector_options import selector_options
from iotrace.errors import UsageError

if TYPE_CHECKING:
    from iotrace.cli.recording_sink import Recorder
    from iotrace.discovery.selectors import Selector
    from iotrace.flight.recorder import FlightRecorder
    from iotrace.live.progress_line import ProgressLine
    from iotrace.report.detail import Detail
    from iotrace.tracing.trace_options import PythonOptions

_SECOND_NS = 1_000_000_000


@click.command(name="record", short_help="Trace, and keep the report in a file.")
@click.argument("target", metavar="PID... | -- CMD...", nargs=-1)
@selector_options(follow=True)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(writable=False),
    help="The recording; it appears when it is whole.",
)
@click.option(
    "-d",
    "--duration",
    type=Seconds(),
    help="Stop after this time (10, 500ms, 2m), counted from when all probes are loaded.",
)
@click.option(
    "-i",
    "--interval",
    type=Seconds(),
    default=_SECOND_NS,
    show_default="1",
    help="Keep a sample this often, for compare to tell differences from noise.",
)
@click.option(
    "--children/--no-children", default=True, show_default=True, help="Trace child processes too."
)
@click.option(
    "--timeline",
    is_flag=True,
    help="Keep every call and change of state too; report -f perfetto or chrome exports them.",
)
@click.option(
    "--max-size",
    type=Bytes(),
    default="256M",
    show_default=True,
    help="The file grows no larger; what has no room is left out, and the report says so.",
)
@flight_options
@detail_option
@python_options
@click.option("-v", "--verbose", is_flag=True, help="Say more when something fails.")
def command(
    target: tuple[str, ...],
    selectors: tuple[Selector, ...],
    follow: bool,
    output: str,
    duration: int | None,
    interval: int,
    children: bool,
    python: PythonOptions,
    timeline: bool,
    max_size: int,
    flight: Flight,
    detail: Detail,
    verbose: bool,
) -> int:
    """Trace running processes, or a program from its start, and keep the report in a file.

    With --last and --on it is a flight recorder: it keeps the last seconds in memory, and writes a
    recording of them each time that something happens.

    iotrace report FILE prints it in any format, on any machine, without root; iotrace compare
    compares two of them.
    """
    if not target and not selectors:
        raise click.UsageError(
            "Say what to trace: iotrace record -o FILE 4242, or --port 8000, or -- CMD"
        )
    if timeline and detail.value != DETAILS[0]:
        raise UsageError(
            f"--timeline needs full detail, not {detail.value}",
            why="its events are system calls",
            paste="sudo iotrace record --timeline -o FILE PID",
        )

    pids = tuple(dict.fromkeys(int(word) for word in target if word.isdecimal()))
    program = () if all(word.isdecimal() and int(word) > 0 for word in target) else target
    flight.check(program)
    if program and selectors:
        raise click.UsageError("A program to start, or running processes to find: not both.")

    from iotrace.cli.recording_sink import TIMELINE_PAGES, Recorder
    from iotrace.tracing.session import trace_processes, trace_program
    from iotrace.tracing.trace_options import TraceOptions
    from iotrace.tracing.wanted import Wanted

    options = TraceOptions(
        duration_ns=duration,
        interval_ns=interval,
        children=children,
        python=python,
        detail=detail,
        timeline_pages=TIMELINE_PAGES if timeline else 0,
    )

    triggers = flight.triggers()

    def recording() -> Callable[[], tuple[Recorder | FlightRecorder, ProgressLine]]:
        # All of it now: the user who called may not be allowed to read where the modules lie.
        import iotrace.cli.exit_codes
        import iotrace.flight.recorder  # noqa: F401
        from iotrace.live.progress_line import ProgressLine

        def sink() -> Recorder | FlightRecorder:
            if flight.last_ns is None:
                return Recorder(output, max_size, timeline=timeline)
            return flight.recorder(output, triggers, max_size, timeline=timeline)

        return lambda: (sink(), ProgressLine(duration))

    if program:
        report, status = trace_program(program, options, recording)
    else:
        report, status = (
            trace_processes(
                Wanted(pids, selectors, follow),
                options,
                recording,
                on_signal=lambda number: ends_trace(triggers, number),
            ),
            None,
        )

    from iotrace.cli.exit_codes import exit_code, exit_code_of_program

    return exit_code(report) if status is None else exit_code_of_program(report, status)

"""``iotrace record``: keep what a trace found in a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from iotrace.cli.options import DETAILS, Bytes, Seconds, detail_option, python_options
from iotrace.errors import UsageError
from iotrace.tracing.trace_options import Plan, PythonWish

if TYPE_CHECKING:
    from iotrace.report.detail import Detail

_SECOND_NS = 1_000_000_000


@click.command(name="record", short_help="Trace, and keep the report in a file.")
@click.argument("target", metavar="PID... | -- CMD...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, writable=False),
    help="The recording; it appears when it is whole.",
)
@click.option("-d", "--duration", type=Seconds(), help="Stop after this time (10, 500ms, 2m).")
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
@detail_option
@python_options
@click.option("-v", "--verbose", is_flag=True, help="Say more when something fails.")
def command(
    target: tuple[str, ...],
    output: str,
    duration: int | None,
    interval: int,
    children: bool,
    python: PythonWish,
    timeline: bool,
    max_size: int,
    detail: Detail,
    verbose: bool,
) -> int:
    """Trace running processes, or a program from its start, and keep the report in a file.

    iotrace report FILE prints it in any format, on any machine, without root; iotrace compare
    holds two side by side.
    """
    if timeline and detail.value != DETAILS[0]:
        raise UsageError(
            f"--timeline needs full detail, not {detail.value}",
            why="its events are system calls",
            paste="sudo iotrace record --timeline -o FILE PID",
        )

    from iotrace.cli.recorder import TIMELINE_PAGES, Recorder
    from iotrace.cli.tracing import trace_processes, trace_program

    plan = Plan(
        duration_ns=duration,
        interval_ns=interval,
        children=children,
        python=python,
        detail=detail,
        timeline_pages=TIMELINE_PAGES if timeline else 0,
    )

    def recorder() -> Callable[[], Recorder]:
        return lambda: Recorder(output, max_size, timeline=timeline)

    if all(word.isdecimal() and int(word) > 0 for word in target):
        pids = tuple(dict.fromkeys(map(int, target)))
        return trace_processes(pids, plan, recorder)
    return trace_program(target, plan, recorder)

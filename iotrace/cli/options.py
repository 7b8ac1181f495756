# SPDX-License-Identifier: Apache-2.0
"""Options that commands share."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from iotrace.cli.parameter_types import FailOn, FormatName, Latency, Names, Seconds

if TYPE_CHECKING:
    from iotrace.report.detail import Detail
    from iotrace.tracing.trace_options import PythonOptions

_Function = TypeVar("_Function", bound=Callable[..., Any])


DETAILS = ("full", "sockets", "light")
"""The names of report.detail.Detail, which --help need not load."""


def _detail(ctx: click.Context, param: click.Parameter, name: str) -> Detail:
    from iotrace.report.detail import Detail

    return Detail(name)


detail_option = click.option(
    "--detail",
    type=click.Choice(DETAILS),
    default=DETAILS[0],
    callback=_detail,
    show_default=True,
    help="full: every call. light: only what threads sleep in, and their time on the CPU; costs "
    "next to nothing. sockets: light, reads and writes of sockets, and requests.",
)


def tracing_options(function: Callable[..., int]) -> Callable[..., int]:
    """``-d``, ``-i``, ``--no-children``, ``--fail-on``, ``--detail``, those of ``python_options``.

    Gathered in the command's parameter ``options``; ``--fail-on`` is ``fail_on``.
    """

    @functools.wraps(function)
    def planned(
        *,
        duration: int | None,
        interval: int | None,
        children: bool,
        detail: Detail,
        python: PythonOptions,
        **values: Any,
    ) -> int:
        from iotrace.tracing.trace_options import TraceOptions

        options = TraceOptions(duration, interval, children, detail, python)
        return function(options=options, **values)

    gathered = python_options(planned)
    for option in (
        click.option(
            "-d",
            "--duration",
            type=Seconds(),
            help="Stop after this time (10, 500ms, 2m), counted from when all probes are loaded.",
        ),
        click.option("-i", "--interval", type=Seconds(), help="Print a report this often as well."),
        click.option(
            "--children/--no-children",
            default=True,
            show_default=True,
            help="Trace child processes too.",
        ),
        click.option(
            "--fail-on",
            type=FailOn(),
            default=(),
            help="Exit with 10 where such a finding is reported: medium (or worse), IO103,IO104.",
        ),
        detail_option,
    )[::-1]:  # decorators apply from the last one on
        gathered = option(gathered)
    return gathered


def python_options(function: Callable[..., int]) -> Callable[..., int]:
    """``--min-latency``, ``--no-python``: gathered in the command's parameter ``python``."""

    @functools.wraps(function)
    def gathered(*, min_latency: int, python: bool, **values: Any) -> int:
        from iotrace.tracing.trace_options import PythonOptions

        return function(python=PythonOptions(python, min_latency), **values)

    for option in (
        click.option(
            "--min-latency",
            type=Latency(),
            default="1ms",
            show_default=True,
            help="Name the Python line of calls that took as long; 0: of all calls.",
        ),
        click.option(
            "--python/--no-python",
            default=True,
            show_default=True,
            help="Python lines, waits for the GIL and causes of stalls; or none of that.",
        ),
    ):
        gathered = option(gathered)
    return gathered


@dataclass(frozen=True, slots=True)
class Shown:
    """What a report shall look like, and where it goes.

    ``top`` None: as many rows as the format has by default, 0: all. ``color`` None: as the
    terminal has it. ``output`` None: standard output (or standard error, for ``run``). ``only``:
    "verdict" leaves the tables out. ``all_frames``: Python lines of libraries, too. ``by``:
    whose requests a row is of, "worker" or "parent".
    """

    fmt: str = "table"
    output: str | None = None
    top: int | None = None
    sort: str = ""
    columns: tuple[str, ...] = ()
    color: bool | None = None
    only: str | None = None
    all_frames: bool = False
    by: str = "parent"


def output_options(function: Callable[..., int]) -> Callable[..., int]:
    """``-f``, ``-o``, ``--top``...: gathered in the command's parameter ``shown``; and ``-v``."""

    @functools.wraps(function)
    def gathered(**values: Any) -> int:
        names = [field.name for field in dataclasses.fields(Shown)]
        shown = Shown(**{name: values.pop(name) for name in names})
        return function(shown=shown, **values)

    return _with_output_options(gathered)


def _with_output_options(function: _Function) -> _Function:
    for option in (
        click.option(
            "-f",
            "--format",
            "fmt",
            type=FormatName(),
            default="table",
            show_default=True,
            help="table, html-report (a page with pictures), json, jsonl, csv, tsv, csv-calls..., "
            "folded, speedscope (flame graphs of waits by Python stack), or a table style of "
            "tabulate (github, rst, html, ...).",
        ),
        click.option(
            "-o",
            "--output",
            type=click.Path(dir_okay=False, writable=False),
            help="Write the report to this file.",
        ),
        click.option(
            "--top",
            type=click.IntRange(min=0),
            help="Rows per table (20, unless the format holds them all); 0: all.",
        ),
        click.option("--sort", default="", help="Sort rows by this column, not by their cost."),
        click.option(
            "--columns",
            type=Names(),
            default="",
            help="Show these columns only: tid,name,wall.",
        ),
        click.option(
            "--color/--no-color",
            default=None,
            help="Colours, or none (default: on a terminal, unless NO_COLOR is set).",
        ),
        click.option(
            "--only",
            type=click.Choice(["verdict"]),
            help="Print what each process is and what is wrong with it, without the tables.",
        ),
        click.option(
            "--all-frames",
            is_flag=True,
            help="Python lines: the innermost frame, be it a library's; not the program's own.",
        ),
        click.option(
            "--by",
            type=click.Choice(["parent", "worker"]),
            default="parent",
            show_default=True,
            help="Requests and upstreams of worker processes: added up with their parent, or each.",
        ),
        click.option("-v", "--verbose", is_flag=True, help="Say more when something fails."),
    )[::-1]:  # decorators apply from the last one on
        function = option(function)
    return function

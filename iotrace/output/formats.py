# SPDX-License-Identifier: Apache-2.0
"""The names that ``-f`` takes, and what prints each."""

from __future__ import annotations

from collections.abc import Callable

import tabulate

from iotrace.errors import UsageError
from iotrace.output import as_csv, as_json, columns, flames, table
from iotrace.output.html import report_page as html_page
from iotrace.output.markup import DEFAULT
from iotrace.output.view_options import View
from iotrace.report.model import Report

_JSON: dict[str, Callable[[Report], str]] = {
    "json": as_json.render,
    "jsonl": as_json.render_line,
    "folded": flames.render_folded,
    "speedscope": flames.render_speedscope,
}

# ``csv`` is the threads' table; the other tables are named.
_SEPARATED = {
    name if table == "threads" else f"{name}-{table}": (separator, table)
    for name, separator in (("csv", ","), ("tsv", "\t"))
    for table in as_csv.TABLES
}

# tabulate's own "tsv" is a page of prose and tables, which no program reads.
TABULATE = tuple(name for name in tabulate.tabulate_formats if name not in _SEPARATED)

_HTML = "html-report"

FORMATS: tuple[str, ...] = (DEFAULT, _HTML, *_JSON, *_SEPARATED, *TABULATE)

_WHOLE = (_HTML, *_JSON)

ONE_ONLY = (_HTML,)
"""Formats of which two, one after the other, are not a document."""

TIMELINES = ("perfetto", "chrome")
"""What a recording's timeline is exported as: no formats of a report."""

_VIEW = View()


def render(report: Report, format: str = DEFAULT, view: View = _VIEW) -> str:
    """The report in one of ``FORMATS``; the text ends in a line break.

    Raises UsageError on another format and on what ``check`` refuses.
    """
    check(format, view)
    if format in _JSON:
        return _JSON[format](report)
    if format in _SEPARATED:
        separator, rows = _SEPARATED[format]
        return as_csv.render(report, rows, separator, view)
    if format == _HTML:
        return html_page.render(report, view)
    return table.render(report, tablefmt=format, view=view)


def check(format: str, view: View) -> None:
    """Raises UsageError on an unknown format, or one that cannot show this view.

    JSON is always whole: it has no columns to choose and no order (``top`` is not for it either).
    The HTML page's reader sorts its tables.
    """
    if format in TIMELINES:
        raise UsageError(
            f"{format} is a format of timelines",
            why="single events are kept by record --timeline only",
            paste="sudo iotrace record --timeline -o x.iot PID && "
            f"iotrace report x.iot -f {format} -o x.{format}",
        )
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!a}", why=f"formats: {', '.join(FORMATS)}")
    names = [*view.columns, *([view.sort] if view.sort else [])]
    if format in _WHOLE and names:
        raise UsageError(
            f"{format} has no columns to choose or to sort by",
            why="it holds the whole report",
            paste="iotrace attach PID -f json | jq '.processes[].threads'",
        )
    if view.only and (format in _WHOLE or format in _SEPARATED):
        raise UsageError(
            f"{format} cannot be cut down to the verdict",
            why="it holds rows of data; the verdict's findings are a part of json",
            paste="iotrace attach PID -f json | jq .findings",
        )
    if format in _SEPARATED:
        columns.check_names(names, as_csv.titles(_SEPARATED[format][1]))
    elif format not in _WHOLE:
        columns.check_names(names, columns.TITLES)

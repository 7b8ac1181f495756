"""The names that ``-f`` takes, and what prints each."""

from __future__ import annotations

import tabulate

from iotrace.errors import UsageError
from iotrace.output import as_csv, as_json, table
from iotrace.output.markup import DEFAULT
from iotrace.report.model import Report

# ``csv`` is the threads' table; the other tables are named.
_CSV = {"csv": "threads", **{f"csv-{name}": name for name in as_csv.TABLES if name != "threads"}}

FORMATS: tuple[str, ...] = (DEFAULT, "json", *_CSV, *tabulate.tabulate_formats)


def render(
    report: Report,
    format: str = DEFAULT,
    *,
    width: int = table.DEFAULT_WIDTH,
    top: int | None = table.DEFAULT_TOP,
) -> str:
    """The report in one of ``FORMATS``; the text ends in a line break.

    ``width`` (terminal columns) and ``top`` (rows a table, None: all) shape tables only: ``json``
    and ``csv`` hold every row. Raises UsageError on another format.
    """
    if format == "json":
        return as_json.render(report)
    if format in _CSV:
        return as_csv.render(report, _CSV[format])
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!a}", why=f"formats: {', '.join(FORMATS)}")
    return table.render(report, tablefmt=format, width=width, top=top)

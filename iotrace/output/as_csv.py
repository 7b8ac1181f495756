"""One table of a report as CSV, to be pasted into a spreadsheet.

One file is one table: every row of every process, its columns plain numbers (``_ns``, ``_bytes``)
or texts. A file of several tables is readable by no program, and a long form of
(row, column, value) by no person. What is not known is an empty cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from iotrace.output.escaping import for_spreadsheet
from iotrace.output.text import escape
from iotrace.report.model import WAIT_REASONS, Process, Report

Cell = str | int | float | None
Columns = Mapping[str, Callable[[Any], Cell]]


@dataclass(frozen=True, slots=True)
class _Table:
    rows: Callable[[Process], Sequence[object]]
    columns: Columns


def render(report: Report, table: str) -> str:
    """One of ``TABLES``: a line of column names, then a line a row; all texts are quoted."""
    chosen = TABLES[table]
    lines = io.StringIO()
    writer = csv.writer(lines, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(["pid", "process", *chosen.columns])
    for process in report.processes:
        for row in chosen.rows(process):
            cells = [column(row) for column in chosen.columns.values()]
            writer.writerow(map(_safe, [process.pid, process.name, *cells]))
    return lines.getvalue()


def _safe(cell: Cell) -> Cell:
    """Names are the traced program's own: visible escapes, and nothing that computes."""
    return for_spreadsheet(escape(cell)) if isinstance(cell, str) else cell


def _same(*names: str) -> Columns:
    """Columns that are fields of the row."""
    return {name: attrgetter(name) for name in names}


def _nested(field: str, names: Sequence[str], title: str) -> Columns:
    """Columns that are fields of a field, which may be None."""

    def of(name: str) -> Callable[[Any], Cell]:
        return lambda row: getattr(inside, name) if (inside := getattr(row, field)) else None

    return {title.format(name): of(name) for name in names}


def _wait(reason: str) -> Callable[[Any], Cell]:
    return lambda thread: int(thread.states_ns.wait.get(reason, 0))


def _yes(name: str) -> Callable[[Any], Cell]:
    words = {True: "yes", False: "no", None: None}
    return lambda row: words[getattr(row, name)]


_THREADS: Columns = {
    **_same("tid", "name"),
    "threads": attrgetter("count"),
    **_nested("model", ("id",), "model"),
    **_same("lifetime_ns"),
    **_nested("states_ns", ("user", "kernel", "copy", "runq"), "{}_ns"),
    **{f"wait_{reason}_ns": _wait(reason) for reason in WAIT_REASONS},
    **_nested("states_ns", ("unaccounted",), "{}_ns"),
    **_nested("switches", ("voluntary", "involuntary"), "{}_switches"),
    **_same("syscalls"),
}

_CALLS: Columns = {
    **_same("tid", "syscall", "kind", "calls", "in_flight"),
    "eagain": lambda call: call.errors.get("EAGAIN", 0),
    "other_errors": lambda call: sum(call.errors.values()) - call.errors.get("EAGAIN", 0),
    **_same("bytes", "total_ns", "wait_ns", "runq_ns", "copy_ns", "kernel_ns"),
    "copy_estimated": _yes("copy_estimated"),
    **_nested("latency_ns", ("p50", "p90", "p99", "p999", "max"), "{}_ns"),
}

_DESCRIPTORS: Columns = {
    **_same("fd", "kind", "opened", "local", "peer"),
    "nonblocking": _yes("nonblocking"),
    **_same("calls", "eagain", "bytes_in", "bytes_out", "wait_ns", "copy_ns"),
    "copy_estimated": _yes("copy_estimated"),
    **_nested("pickup_ns", ("count",), "pickups"),
    **_nested("pickup_ns", ("p50", "p99", "max"), "pickup_{}_ns"),
}

_LOOPS: Columns = {
    **_same("tid", "multiplexer", "trigger", "watched", "iterations", "empty", "timeouts"),
    **_same("zero_timeout", "unserved"),
    **_nested("ready", ("mean", "max"), "ready_{}"),
    **_same("wait_ns", "busy_total_ns"),
    **_nested("busy_ns", ("p50", "p99", "max"), "busy_{}_ns"),
}

TABLES = {
    "threads": _Table(attrgetter("threads"), _THREADS),
    "calls": _Table(attrgetter("calls"), _CALLS),
    "descriptors": _Table(attrgetter("descriptors"), _DESCRIPTORS),
    "loops": _Table(attrgetter("loops"), _LOOPS),
}

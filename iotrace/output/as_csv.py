# SPDX-License-Identifier: Apache-2.0
"""One table of a report as CSV or TSV, for a spreadsheet or a data frame.

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
from typing import Any, NamedTuple

from iotrace.output.escaping import for_spreadsheet
from iotrace.output.text import escape
from iotrace.output.view_options import View, plain_name
from iotrace.report.model import Call, Descriptor, Loop, Process, Report, Thread
from iotrace.report.requests import PART_STATES, Requests, RequestTier, SlowRequest, Upstream
from iotrace.report.shape import choices, fields_of
from iotrace.report.worker_sums import by_parent, by_worker
from iotrace.vocabulary.waits import WAIT_REASONS

Cell = str | int | float | None
Columns = Mapping[str, Callable[[Any], Cell]]

_VIEW = View()


@dataclass(frozen=True, slots=True)
class _Table:
    rows: Callable[[Process], Sequence[object]]
    columns: Columns


def titles(table: str) -> tuple[str, ...]:
    """The column names of one of ``TABLES``."""
    return (*_OWNER, *TABLES[table].columns)


def render(report: Report, table: str, separator: str = ",", view: View = _VIEW) -> str:
    """One of ``TABLES``: a line of column names, then a line a row.

    All texts are quoted between commas; between tabs, only those that have a quotation mark
    (no text has a tab or a line break: those are escaped). ``view.top`` None is all rows; the
    rows are in the report's order unless ``view.sort`` names a column.
    """
    report = by_worker(report) if view.by_worker else by_parent(report)
    lines = io.StringIO()
    writer = csv.writer(
        lines,
        delimiter=separator,
        quoting=csv.QUOTE_NONNUMERIC if separator == "," else csv.QUOTE_MINIMAL,
        lineterminator="\n",
    )
    names = _asked_for(titles(table), view.columns)
    writer.writerow(names)
    rows = _rows(report, table)
    if view.sort:
        (key,) = _asked_for(titles(table), (view.sort,))
        textual = any(isinstance(row[key], str) for row in rows)
        # What is not known comes last, whichever way the others go.
        rows.sort(key=lambda row: _sortable(row[key], textual), reverse=not textual)
    for row in rows[: view.top or None]:
        writer.writerow(_safe(row[name]) for name in names)
    return lines.getvalue()


def _asked_for(known: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    by_name = {plain_name(title): title for title in known}
    return tuple(by_name[plain_name(name)] for name in wanted) or known


def _rows(report: Report, table: str) -> list[dict[str, Cell]]:
    chosen = TABLES[table]
    return [
        {
            **{name: of(process) for name, of in _OWNER.items()},
            **{name: of(row) for name, of in chosen.columns.items()},
        }
        for process in report.processes
        for row in chosen.rows(process)
    ]


def _sortable(cell: Cell, textual: bool) -> tuple[bool, Any]:
    if textual:
        return cell is None, cell or ""
    return cell is not None, cell or 0


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


def _and_others(row: type, columns: Columns, *elsewhere: str) -> Columns:
    """``columns``, and whatever else in the model is a plain number or text; not ``elsewhere``,
    which are in columns of another name.
    """
    others = {
        field.name: _yes(field.name) if bool in choices(field.type) else attrgetter(field.name)
        for field in fields_of(row)
        if field.name not in (*columns, *elsewhere) and _PLAIN.issuperset(choices(field.type))
    }
    return {**columns, **others}


_PLAIN = frozenset((int, float, str, bool, type(None)))

_OWNER: Columns = {"pid": attrgetter("pid"), "process": attrgetter("name")}

_THREADS: Columns = {
    **_same("tid", "name"),
    "threads": attrgetter("count"),
    **_nested("model", ("id",), "model"),
    **_same("lifetime_ns"),
    **_nested("states_ns", ("user", "kernel", "copy", "cpu", "runq"), "{}_ns"),
    **{f"wait_{reason}_ns": _wait(reason) for reason in WAIT_REASONS},
    "idle_ns": lambda row: None if row.idle_ns is None else sum(row.idle_ns.values()),
    **_nested("states_ns", ("unaccounted",), "{}_ns"),
    **_nested("switches", ("voluntary", "involuntary"), "{}_switches"),
    **_same("syscalls"),
}

_CALLS: Columns = {
    **_same("tid", "syscall", "kind", "calls", "in_flight"),
    "eagain": attrgetter("eagain"),
    "other_errors": attrgetter("failed"),
    **_same("bytes", "total_ns", "wait_ns", "runq_ns", "copy_ns", "kernel_ns"),
    **_same("gil_waits", "gil_ns"),
    "copy_estimated": _yes("copy_estimated"),
    **_nested("latency_ns", ("p50", "p90", "p99", "p999", "max"), "{}_ns"),
    **_same("sleeps"),
    **_nested("slept_ns", ("p50", "p90", "p99", "p999", "max"), "slept_{}_ns"),
}

_DESCRIPTORS: Columns = {
    **_same("fd", "kind", "opened", "local", "peer"),
    "nonblocking": _yes("nonblocking"),
    **_same("calls", "eagain", "bytes_in", "bytes_out", "wait_ns", "copy_ns"),
    "copy_estimated": _yes("copy_estimated"),
    **_nested("pickup_ns", ("count",), "pickups"),
    **_nested("pickup_ns", ("p50", "p99", "max"), "pickup_{}_ns"),
    **_same("sleeps"),
}

_LOOPS: Columns = {
    **_same("tid", "multiplexer", "trigger", "watched", "iterations", "empty", "timeouts"),
    **_same("zero_timeout", "unserved"),
    **_nested("ready", ("mean", "max"), "ready_{}"),
    **_same("wait_ns", "busy_total_ns"),
    **_nested("busy_ns", ("p50", "p99", "max"), "busy_{}_ns"),
    **_same("sleeps"),
}


_PERCENTILES = ("p50", "p90", "p99", "p999", "max")

_REQUESTS: Columns = {
    **_same("listener", "connections", "exchanges", "unanswered", "oldest_unanswered_ns"),
    **_nested("latency_ns", _PERCENTILES, "latency_{}_ns"),
    **_nested("queue_ns", _PERCENTILES, "queue_{}_ns"),
    **_nested("pickup_ns", _PERCENTILES, "pickup_{}_ns"),
    **_nested("service_ns", _PERCENTILES, "service_{}_ns"),
    **_nested("last_byte_ns", _PERCENTILES, "last_byte_{}_ns"),
    **_same("several_at_once", "handed_over", "unknown", "undated"),
    **_same("after_close", "after_close_idle_ns", "after_close_ns", "after_close_peer"),
    **_same("per_second", "pending", "max_pending", "dropped"),
}


class _OfListener(NamedTuple):
    """A tier or an exemplar, with the listener whose it is."""

    listener: str
    split: RequestTier | SlowRequest


def _tiers(process: Process) -> list[_OfListener]:
    return [_OfListener(row.listener, tier) for row in process.requests for tier in row.tiers]


def _slowest(process: Process) -> list[_OfListener]:
    return [_OfListener(row.listener, one) for row in process.requests for one in row.exemplars]


def _part(part: str, state: str) -> Callable[[Any], Cell]:
    return lambda row: int(getattr(row.split, f"{part}_ns").get(state, 0))


def _split(*names: str) -> Columns:
    """``names``, and each part by state."""
    return {
        "listener": attrgetter("listener"),
        **{name: attrgetter(f"split.{name}") for name in (*names, "latency_ns", "queue_ns")},
        **{
            f"{part}_{state}_ns": _part(part, state)
            for part in ("pickup", "service")
            for state in PART_STATES
        },
    }


_UPSTREAMS: Columns = {
    **_same("peer", "kind", "calls", "in_flight_max", "unanswered", "oldest_unanswered_ns"),
    **_nested("theirs_ns", _PERCENTILES, "theirs_{}_ns"),
    **_nested("pickup_ns", _PERCENTILES, "pickup_{}_ns"),
    **_nested("connect_ns", _PERCENTILES, "connect_{}_ns"),
    **_same("connect_errors", "unknown", "cut_off", "cut_off_ns"),
}


def _frame(name: str) -> Callable[[Any], Cell]:
    """Of the innermost frame that is the program's own."""
    return lambda line: getattr(line.own_stack[0], name) if line.stack else None


_LINES: Columns = {
    **{name: _frame(name) for name in ("function", "file", "line")},
    **_same("tid", "syscall", "kind", "fd", "calls", "in_flight"),
    **_same("total_ns", "wait_ns", "runq_ns", "copy_ns", "max_ns"),
    "stack": lambda line: " < ".join(f"{one.function}:{one.line}" for one in line.stack),
}

_SAMPLES: Columns = {
    **{name: _frame(name) for name in ("function", "file", "line")},
    **_same("tid", "samples", "cpu_ns", "gc_ns", "in_calls", "collecting", "faults"),
    "stack": lambda row: " < ".join(f"{one.function}:{one.line}" for one in row.stack),
}

TABLES = {
    "threads": _Table(attrgetter("threads"), _and_others(Thread, _THREADS, "count")),
    "calls": _Table(attrgetter("calls"), _and_others(Call, _CALLS)),
    "descriptors": _Table(attrgetter("descriptors"), _and_others(Descriptor, _DESCRIPTORS)),
    "loops": _Table(attrgetter("loops"), _and_others(Loop, _LOOPS)),
    "lines": _Table(attrgetter("lines"), _LINES),
    "samples": _Table(attrgetter("cpu_samples"), _SAMPLES),
    "requests": _Table(attrgetter("requests"), _and_others(Requests, _REQUESTS)),
    "request-tiers": _Table(_tiers, _split("from_ns", "to_ns", "count")),
    "slowest-requests": _Table(_slowest, _split("arrived_ns", "peer", "tid")),
    "upstreams": _Table(attrgetter("upstreams"), _and_others(Upstream, _UPSTREAMS)),
}

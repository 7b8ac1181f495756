# SPDX-License-Identifier: Apache-2.0
"""A report as tables: findings; each process's head and tables; how good the data is."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from iotrace.output import columns, finding_blocks, page, quality, verdict
from iotrace.output.blocks import Block, Heading, Paragraph, Table
from iotrace.output.naming import process_title
from iotrace.output.shown_part import head_lines, split
from iotrace.output.tables import processes_table
from iotrace.output.tables.of_process import tables_of
from iotrace.output.view_options import View
from iotrace.report.model import Process, Report
from iotrace.report.worker_sums import by_parent, by_worker

DEFAULT_TOP = 20

# Of a report with more processes, these many costliest ones get tables of their own.
_DETAILED = 3

_VIEW = View()


def render(report: Report, *, tablefmt: str, view: View = _VIEW) -> str:
    """The report as text in one of ``markup``'s formats.

    ``view.top`` 0: all rows, and the tables of all processes; None: ``DEFAULT_TOP`` rows.
    Columns that a table has not are passed over, and so is a table that has none of them.
    """
    return page.render(_blocks(report, view), tablefmt=tablefmt, width=view.width, color=view.color)


def _blocks(report: Report, view: View) -> list[Block]:
    report = by_worker(report) if view.by_worker else by_parent(report)
    top = DEFAULT_TOP if view.top is None else view.top or None
    detailed, others = split(report, None if top is None else _DETAILED)
    blocks: list[Block] = [Paragraph(line) for line in head_lines(report)]
    blocks += [*quality.warning(report), *finding_blocks.blocks(report, top)]
    for process in detailed:
        blocks += [
            *_head(process, report),
            *verdict.blocks(process, report),
            *_tables(process, top, view),
        ]
    title = "Other processes" if detailed else "Processes"
    if not view.only:
        blocks += _chosen([processes_table.table(others, title, top, view.sort)], view)
    if view.only and not report.quality.lost.total:
        return blocks
    return [*blocks, *quality.blocks(report)]


def _head(process: Process, report: Report) -> list[Block]:
    command = shlex.join(process.cmdline)
    head: list[Block] = [Heading(1, process_title(process, report.processes))]
    return [*head, Paragraph(command, cut=True)] if command else head


def _tables(process: Process, top: int | None, view: View) -> list[Block]:
    if view.only:
        return []
    return _chosen(tables_of(process, top, view.sort, all_frames=view.all_frames), view)


def _chosen(tables: Iterable[Table | None], view: View) -> list[Block]:
    chosen = (columns.chosen(table, view.columns) for table in tables if table is not None)
    return [table for table in chosen if table is not None]

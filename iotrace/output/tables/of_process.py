# SPDX-License-Identifier: Apache-2.0
"""The tables of one process, in the order in which they are printed."""

from __future__ import annotations

from iotrace.output.blocks import Table
from iotrace.output.tables import (
    calls_table,
    descriptors_table,
    lines_table,
    loops_table,
    operations_table,
    requests_table,
    samples_table,
    signals_table,
    threads_table,
    upstreams_table,
)
from iotrace.report.model import Process

TABLES = (
    requests_table,
    upstreams_table,
    threads_table,
    loops_table,
    lines_table,
    samples_table,
    calls_table,
    descriptors_table,
    operations_table,
    signals_table,
)


def tables_of(
    process: Process, top: int | None, sort: str = "", *, all_frames: bool = False
) -> list[Table]:
    """Those that have rows, with ``top`` rows each (None: all)."""
    made = [
        module.table(process, top, sort, all_frames=all_frames)
        if module in (lines_table, samples_table)
        else module.table(process, top, sort)
        for module in TABLES
    ]
    return [table for table in made if table is not None]

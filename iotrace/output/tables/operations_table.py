# SPDX-License-Identifier: Apache-2.0
"""One line a kind of asynchronous operation (io_uring). Order: how many."""

from __future__ import annotations

from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import NOTHING, Table, figures, texts
from iotrace.output.tables import cost
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Operation, Process
from iotrace.report.process_totals import operations_of

_LEGEND = "io_uring; p50, p99, max: from submission to completion."


ORDERS: Orders[Operation] = {
    "operation": ColumnOrder(attrgetter("op"), "what was asked for"),
    "count": ColumnOrder(attrgetter("count"), "completions"),
    "errors": ColumnOrder(attrgetter("failed"), "those that failed"),
    "bytes": ColumnOrder(attrgetter("bytes"), "sum of what was read or written"),
    "p50": ColumnOrder(lambda operation: _time(operation, "p50"), "from submission to completion"),
    "p99": ColumnOrder(lambda operation: _time(operation, "p99"), "from submission to completion"),
    "max": ColumnOrder(lambda operation: _time(operation, "max"), "the longest"),
}


def table(process: Process, top: int | None, sort: str = "") -> Table | None:
    """The process's asynchronous operations; None if there are none."""
    if not process.operations:
        return None
    shown, rest = cost.costliest(
        process.operations, lambda operation: operation.count, top, sort, ORDERS
    )
    times = [operation.submit_to_complete_ns for operation in shown]
    columns = (
        texts("operation", (operation.op for operation in shown), least=9),
        figures("count", (units.format_count(operation.count) for operation in shown)),
        figures("errors", (units.format_count(one.failed) for one in shown)),
        figures("bytes", (units.format_size(operation.bytes) for operation in shown)),
        figures("p50", (units.format_duration(time.p50) if time else NOTHING for time in times)),
        figures("p99", (units.format_duration(time.p99) if time else NOTHING for time in times)),
        figures("max", (units.format_duration(time.max) if time else NOTHING for time in times)),
    )
    operations = operations_of(process)
    return Table(
        title=f"Asynchronous operations ({units.format_count(operations)})",
        legend=(_LEGEND,),
        columns=columns,
        more=f"… and {units.format_count(len(rest))} more" if rest else "",
    )


def _time(operation: Operation, name: str) -> int:
    times = operation.submit_to_complete_ns
    return int(getattr(times, name)) if times else -1

# SPDX-License-Identifier: Apache-2.0
"""One line a signal delivered to a thread. Order: how many."""

from __future__ import annotations

from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import Table, figures, texts
from iotrace.output.naming import name_tid
from iotrace.output.tables import cost
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Process, Signal
from iotrace.report.process_totals import signals_of

ORDERS: Orders[Signal] = {
    "tid": ColumnOrder(lambda signal: -signal.tid, "the thread that it was delivered to"),
    "signal": ColumnOrder(attrgetter("signal"), "its name"),
    "count": ColumnOrder(attrgetter("count"), "deliveries"),
}


def table(process: Process, top: int | None, sort: str = "") -> Table | None:
    """The signals delivered to the process's threads; None if there were none."""
    if not process.signals:
        return None
    shown, rest = cost.costliest(process.signals, lambda signal: signal.count, top, sort, ORDERS)
    signals = signals_of(process)
    return Table(
        title=f"Signals delivered ({units.format_count(signals)})",
        legend=(),
        columns=(
            figures("tid", (name_tid(signal.tid) for signal in shown)),
            texts("signal", (signal.signal for signal in shown), least=7),
            figures("count", (units.format_count(signal.count) for signal in shown)),
        ),
        more=f"… and {units.format_count(len(rest))} more" if rest else "",
    )

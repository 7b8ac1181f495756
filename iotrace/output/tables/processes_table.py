# SPDX-License-Identifier: Apache-2.0
"""One line a process: for the ones whose tables are not printed.

Order: time that its threads were awake.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import Table, figures, texts
from iotrace.output.naming import after_parents, name_pid, name_process
from iotrace.output.tables import cost
from iotrace.output.tables.threads_table import reasons
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Process
from iotrace.report.process_totals import totals_of

_LEGEND = (
    "wall: all its threads' time; next to it, what it went to in %: on a CPU (user + kernel + "
    "copy), runq: ready, but no CPU free; asleep in: waiting for what (+: other waits)."
)


ORDERS: Orders[Process] = {
    "pid": ColumnOrder(lambda process: -process.pid, "its number"),
    "name": ColumnOrder(attrgetter("name"), "its name"),
    "model": ColumnOrder(
        lambda process: process.model.title if process.model else "",
        "its I/O model",
    ),
    "threads": ColumnOrder(
        lambda process: totals_of(process).threads,
        "that it had while it was traced",
    ),
    "syscalls": ColumnOrder(
        lambda process: totals_of(process).syscalls or 0,
        "system calls of all of them",
    ),
    "wall": ColumnOrder(lambda process: totals_of(process).lifetime_ns, "all its threads' time"),
    "on CPU": ColumnOrder(
        lambda process: totals_of(process).on_cpu_ns,
        "per cent of wall: user + kernel + copy",
    ),
    "runq": ColumnOrder(lambda process: totals_of(process).runq_ns, "per cent of wall"),
    "asleep in": ColumnOrder(
        lambda process: totals_of(process).asleep_ns,
        "the reasons to wait, per cent of wall",
    ),
}


def table(
    processes: Sequence[Process], title: str, top: int | None, sort: str = ""
) -> Table | None:
    """The processes, one a line; None if there are none."""
    if not processes:
        return None
    chosen, rest = cost.costliest(
        processes, lambda process: totals_of(process).awake_ns, top, sort, ORDERS
    )
    shown = chosen if sort else after_parents(chosen)
    totals = [totals_of(process) for process in shown]
    models = (process.model.title if process.model else units.UNKNOWN for process in shown)
    columns = [
        figures("pid", map(name_pid, shown)),
        texts("name", map(name_process, shown), least=8),
        *(
            [texts("model", models, least=10, spare=3)]
            if any(process.model for process in shown)
            else []
        ),
        figures("threads", (units.format_count(total.threads) for total in totals), spare=1),
        figures("syscalls", (units.format_count(total.syscalls) for total in totals), spare=2),
        figures("wall", (units.format_duration(total.lifetime_ns) for total in totals)),
        figures(
            "on CPU", (units.format_share(total.on_cpu_ns, total.lifetime_ns) for total in totals)
        ),
        figures("runq", (units.format_share(total.runq_ns, total.lifetime_ns) for total in totals)),
        texts(
            "asleep in", (reasons(total.wait_ns, total.lifetime_ns) for total in totals), least=14
        ),
    ]
    return Table(
        title=f"{title} ({units.format_count(len(processes))})",
        legend=(_LEGEND,),
        columns=tuple(columns),
        more=cost.more(rest, lambda process: totals_of(process).asleep_ns),
    )

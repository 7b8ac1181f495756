"""One line a process: for the ones whose tables are not printed.

Order: time that its threads were awake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import Table, figures, texts
from iotrace.output.naming import after_parents, name_pid, name_process
from iotrace.output.tables import cost
from iotrace.output.tables.threads_table import reasons
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.detail import known
from iotrace.report.model import Process

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
        lambda process: _Total(process).threads,
        "that it had while it was traced",
    ),
    "syscalls": ColumnOrder(
        lambda process: known(_Total(process).syscalls),
        "system calls of all of them",
    ),
    "wall": ColumnOrder(lambda process: _Total(process).wall, "all its threads' time"),
    "on CPU": ColumnOrder(
        lambda process: _Total(process).on_cpu,
        "per cent of wall: user + kernel + copy",
    ),
    "runq": ColumnOrder(lambda process: _Total(process).runq, "per cent of wall"),
    "asleep in": ColumnOrder(
        lambda process: sum(map(cost.asleep, process.threads)),
        "the reasons to wait, per cent of wall",
    ),
}


def table(
    processes: Sequence[Process], title: str, top: int | None, sort: str = ""
) -> Table | None:
    """The processes, one a line; None if there are none."""
    if not processes:
        return None
    chosen, rest = cost.costliest(processes, cost.of_process, top, sort, ORDERS)
    shown = chosen if sort else after_parents(chosen)
    totals = [_Total(process) for process in shown]
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
        figures("wall", (units.format_duration(total.wall) for total in totals)),
        figures("on CPU", (units.format_share(total.on_cpu, total.wall) for total in totals)),
        figures("runq", (units.format_share(total.runq, total.wall) for total in totals)),
        texts("asleep in", (reasons(total.wait, total.wall) for total in totals), least=14),
    ]
    return Table(
        title=f"{title} ({units.format_count(len(processes))})",
        legend=(_LEGEND,),
        columns=tuple(columns),
        more=cost.more(rest, lambda process: sum(map(cost.asleep, process.threads))),
    )


class _Total:
    """The sums over a process's threads."""

    def __init__(self, process: Process) -> None:
        threads = process.threads
        self.threads: int = sum(thread.count for thread in threads)
        counts = [thread.syscalls for thread in threads]
        self.syscalls: int | None = None if None in counts else sum(map(known, counts))
        self.wall: int = sum(thread.lifetime_ns for thread in threads)
        self.runq: int = sum(thread.states_ns.runq for thread in threads)
        self.on_cpu: int = sum(map(cost.awake, threads)) - self.runq
        self.wait: Counter[str] = Counter()
        for thread in threads:
            self.wait.update(thread.states_ns.wait)

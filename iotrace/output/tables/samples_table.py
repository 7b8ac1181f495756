# SPDX-License-Identifier: Apache-2.0
"""One line a place in the Python program at which a clock found threads on a CPU.

Order: samples. The place is the innermost frame that is the program's own; with ``all_frames`` it
is the innermost one of all.
"""

from __future__ import annotations

from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import Table, figures, texts
from iotrace.output.tables import cost
from iotrace.output.tables.lines_table import where
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Process
from iotrace.report.stacks import CpuSample

_LEGEND = (
    "line: the innermost frame of the program itself; in: the innermost frame of all, where it is "
    "a library's; cpu: estimated from samples; gc: of that, collecting garbage."
)
_FAULTS = "faults: major page faults there, counted."


def _inner(row: CpuSample) -> str:
    if not row.stack or row.own <= 0:
        return ""
    return f"{row.stack[0].place} {row.stack[0].function}"


ORDERS: Orders[CpuSample] = {
    "line": ColumnOrder(
        lambda row: where(row.own_stack)[-1],
        "file:line and function; `*`: a coroutine or generator, `<` who awaits it",
    ),
    "in": ColumnOrder(_inner, "the innermost frame of all, where it is a library's"),
    "samples": ColumnOrder(attrgetter("samples"), "ticks of a clock that found it on a CPU"),
    "cpu": ColumnOrder(attrgetter("cpu_ns"), "the CPU time that the samples stand for (estimated)"),
    "gc": ColumnOrder(attrgetter("gc_ns"), "of that, while Python's garbage collector ran"),
    "faults": ColumnOrder(attrgetter("faults"), "major page faults there (counted)"),
}


def table(
    process: Process, top: int | None, sort: str = "", all_frames: bool = False
) -> Table | None:
    """The places; None if there are none."""
    rows = process.cpu_samples
    if not rows:
        return None
    shown, rest = cost.costliest(rows, lambda row: row.samples + row.faults, top, sort, ORDERS)
    faults = any(row.faults for row in rows)
    places = [where(row.stack if all_frames else row.own_stack) for row in shown]
    return Table(
        title=f"Python lines on a CPU ({units.format_count(len(rows))})",
        legend=(_LEGEND, *([_FAULTS] if faults else [])),
        columns=(
            texts("line", places, least=20, keep_end=True),
            texts("in", map(_inner, shown), least=12, keep_end=True, spare=3),
            figures("samples", (units.format_count(row.samples) for row in shown), spare=2),
            figures("cpu", (units.format_duration(row.cpu_ns) for row in shown)),
            figures("gc", (units.format_duration(row.gc_ns) for row in shown), spare=1),
            *(
                [figures("faults", (units.format_count(row.faults) for row in shown))]
                if faults
                else []
            ),
        ),
        more=cost.more(rest, lambda row: row.cpu_ns, "CPU time"),
    )

# SPDX-License-Identifier: Apache-2.0
"""One line a place in the Python program whose calls took long, by call and kind.

Order: time in those calls. Many stacks lead to one place: they are added up. The place is the
innermost frame that is the program's own; with ``all_frames`` it is the innermost one of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import NOTHING, Column, Table, figures, texts
from iotrace.output.tables import cost
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Process
from iotrace.report.places import CallPlace, awaiting, call_places
from iotrace.report.stacks import Frame

_LEGEND = (
    "line: the innermost frame of the program itself at the end of calls that took long, of "
    "connects, and of calls that failed for want of a descriptor; "
    "wait: asleep in them; copy: handing data to the program; max: one call."
)
_SUSPENDS = "*: a coroutine or generator; < who awaits it."
_IN_FLIGHT = "+1: one more has not returned."
_TASK = "task: the asyncio task of the longest call, < the task that awaits it."
_NO_STACK = "(no stack kept)"


def _call(place: CallPlace) -> str:
    return f"{place.syscall} {place.kind}".rstrip()


ORDERS: Orders[CallPlace] = {
    "line": ColumnOrder(
        lambda place: where(place.stack)[-1],
        "file:line and function; `*`: a coroutine or generator, `<` who awaits it",
    ),
    "call": ColumnOrder(_call, "the call, and the kind of its descriptor"),
    "count": ColumnOrder(
        attrgetter("calls"),
        "such calls; `+1`: one more has not returned",
    ),
    "wait": ColumnOrder(attrgetter("wait_ns"), "time asleep in them"),
    "copy": ColumnOrder(attrgetter("copy_ns"), "time copying in them"),
    "max": ColumnOrder(attrgetter("max_ns"), "the longest"),
    "task": ColumnOrder(
        lambda place: _task(place),
        "the asyncio task that made the longest call, `<` the task that awaits it (Python 3.14 and "
        "later)",
    ),
}


def table(
    process: Process, top: int | None, sort: str = "", all_frames: bool = False
) -> Table | None:
    """The process's lines; None if there are none."""
    if not process.lines:
        return None
    places = call_places(process.lines, all_frames=all_frames)
    shown, rest = cost.costliest(places, lambda place: place.total_ns, top, sort, ORDERS)
    suspending = any(place.stack and place.stack[0].suspends for place in shown)
    return Table(
        title=f"Python lines ({units.format_count(len(places))})",
        legend=(
            _LEGEND,
            *([_SUSPENDS] if suspending else []),
            *([_IN_FLIGHT] if any(place.in_flight for place in shown) else []),
            *([_TASK] if any(place.task for place in shown) else []),
        ),
        columns=(
            texts("line", (where(place.stack) for place in shown), least=20, keep_end=True),
            texts("call", map(_call, shown), least=9),
            figures("count", map(_count, shown)),
            figures("wait", (units.format_duration(place.wait_ns) for place in shown)),
            figures("copy", (units.format_duration(place.copy_ns) for place in shown), spare=2),
            figures("max", (units.format_duration(place.max_ns) for place in shown), spare=1),
            *_tasks(shown),
        ),
        more=cost.more(rest, lambda place: place.wait_ns),
    )


def _tasks(shown: Sequence[CallPlace]) -> list[Column]:
    if not any(place.task for place in shown):
        return []
    return [texts("task", map(_task, shown), least=8, spare=3)]


def _task(place: CallPlace) -> str:
    return place.task.chain if place.task else NOTHING


def where(stack: tuple[Frame, ...]) -> tuple[str, ...]:
    """``orders.py:88 fetch* < handle* < main*``, and shorter forms of it.

    The chain is that of coroutines and generators, each of which waits for the one before it.
    """
    if not stack:
        return (_NO_STACK,)
    place = stack[0].place
    named = f"{place} {_named(stack[0])}"
    chain = [_named(frame) for frame in awaiting(stack)]
    chains = [" < ".join([named, *chain[:length]]) for length in range(len(chain), -1, -1)]
    return (*chains, place)


def _named(frame: Frame) -> str:
    return f"{frame.function}{'*' if frame.suspends else ''}"


def _count(place: CallPlace) -> str:
    if not place.in_flight:
        return units.format_count(place.calls)
    return f"{units.format_count(place.calls)}+{units.format_count(place.in_flight)}"

"""One line a place in the Python program whose calls took long, by call and kind.

Order: time in those calls. Many stacks lead to one place: they are added up. The place is the
innermost frame that is the program's own; with ``all_frames`` it is the innermost one of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from iotrace.output import units
from iotrace.output.blocks import Table, figures, texts
from iotrace.output.tables import cost
from iotrace.output.view_options import ColumnOrder, Orders
from iotrace.report.model import Process
from iotrace.report.stacks import Frame, Line

_LEGEND = (
    "line: the innermost frame of the program itself at the end of calls that took long; "
    "wait: asleep in them; copy: handing data to the program; max: one call."
)
_SUSPENDS = "*: a coroutine or generator; < who awaits it."
_IN_FLIGHT = "+1: one more has not returned."
_NO_STACK = "(no stack kept)"


@dataclass(frozen=True, slots=True)
class Place:
    """The calls of one kind that one place made."""

    stack: tuple[Frame, ...]
    call: str
    calls: int
    in_flight: int
    total_ns: int
    wait_ns: int
    copy_ns: int
    max_ns: int


ORDERS: Orders[Place] = {
    "line": ColumnOrder(
        lambda place: where(place.stack)[-1],
        "file:line and function; `*`: a coroutine or generator, `<` who awaits it",
    ),
    "call": ColumnOrder(attrgetter("call"), "the call, and the kind of its descriptor"),
    "count": ColumnOrder(
        attrgetter("calls"),
        "calls that took as long; `+1`: one more has not returned",
    ),
    "wait": ColumnOrder(attrgetter("wait_ns"), "time asleep in them"),
    "copy": ColumnOrder(attrgetter("copy_ns"), "time copying in them"),
    "max": ColumnOrder(attrgetter("max_ns"), "the longest"),
}


def table(
    process: Process, top: int | None, sort: str = "", all_frames: bool = False
) -> Table | None:
    """The process's lines; None if there are none."""
    if not process.lines:
        return None
    places = _places(process.lines, all_frames)
    shown, rest = cost.costliest(places, lambda place: place.total_ns, top, sort, ORDERS)
    suspending = any(place.stack and place.stack[0].suspends for place in shown)
    return Table(
        title=f"Python lines ({units.format_count(len(places))})",
        legend=(
            _LEGEND,
            *([_SUSPENDS] if suspending else []),
            *([_IN_FLIGHT] if any(place.in_flight for place in shown) else []),
        ),
        columns=(
            texts("line", (where(place.stack) for place in shown), least=20, keep_end=True),
            texts("call", (place.call for place in shown), least=9),
            figures("count", map(_count, shown)),
            figures("wait", (units.format_duration(place.wait_ns) for place in shown)),
            figures("copy", (units.format_duration(place.copy_ns) for place in shown), spare=2),
            figures("max", (units.format_duration(place.max_ns) for place in shown), spare=1),
        ),
        more=cost.more(rest, lambda place: place.wait_ns),
    )


def where(stack: Sequence[Frame]) -> tuple[str, ...]:
    """``orders.py:88 fetch* < handle* < main*``, and shorter forms of it.

    The chain is that of coroutines and generators, each of which waits for the one before it.
    """
    if not stack:
        return (_NO_STACK,)
    place = stack[0].place
    named = f"{place} {_named(stack[0])}"
    chain = []
    if stack[0].suspends:
        for frame in stack[1:]:
            if not frame.suspends:
                break
            chain.append(_named(frame))
    chains = [" < ".join([named, *chain[:length]]) for length in range(len(chain), -1, -1)]
    return (*chains, place)


def _named(frame: Frame) -> str:
    return f"{frame.function}{'*' if frame.suspends else ''}"


def _places(lines: Sequence[Line], all_frames: bool) -> list[Place]:
    """The rows, those that look the same added up."""
    sums: dict[tuple[str, str], Place] = {}
    for line in lines:
        stack = line.stack if all_frames else line.own_stack
        call = f"{line.syscall} {line.kind}".rstrip()
        key = where(stack)[0], call
        known = sums.get(key, Place(stack, call, 0, 0, 0, 0, 0, 0))
        sums[key] = Place(
            stack=known.stack,
            call=call,
            calls=known.calls + line.calls,
            in_flight=known.in_flight + line.in_flight,
            total_ns=known.total_ns + line.total_ns,
            wait_ns=known.wait_ns + line.wait_ns,
            copy_ns=known.copy_ns + line.copy_ns,
            max_ns=max(known.max_ns, line.max_ns),
        )
    return list(sums.values())


def _count(place: Place) -> str:
    if not place.in_flight:
        return units.format_count(place.calls)
    return f"{units.format_count(place.calls)}+{units.format_count(place.in_flight)}"

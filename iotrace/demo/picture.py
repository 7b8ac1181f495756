"""Draws a request: two lanes side by side, time downwards, in 80 columns."""

from __future__ import annotations

from collections.abc import Iterable

from iotrace.demo.request import Request
from iotrace.demo.scene import CREATE, Lane, Row, Shape, scene, sums_ns
from iotrace.output.text import wrap
from iotrace.output.units import format_duration

WIDTH = 80
_AT = 10
_APPLICATION = 28
_KERNEL = 22
_LABEL = 7
_TOOK = 8

_HERE, _ELSEWHERE, _NOWHERE = "┃", "│", "┊"

_LEGEND = (
    f"{_HERE} the thread has a CPU, and this side uses it. {_NOWHERE} It has none: asleep, or "
    "awake and in the queue for one. Phases from 100 us on: one more line for each ten times as "
    "long."
)
_LEFT_OUT = " ⋮ Left out: more of the same."
_EAGAIN = " EAGAIN: nothing there, try again."

_NAMES = {
    CREATE: "creation",
    "wait": "wait",
    "runq": "run queue",
    "copy": "copy",
    "kernel": "kernel",
    "program": "program",
}


def draw(request: Request) -> list[str]:
    """The picture, its legend and its sum, as lines."""
    rows = scene(request)
    longest_ns = max(row.at_ns for row in rows)
    lines = [
        _line("at", " ", " application", " ", " kernel", "", "took"),
        *(line for row in rows for line in _drawn(row, longest_ns)),
        "",
        *wrap(_legend(rows), WIDTH),
    ]
    return [line.rstrip() for line in [*lines, *_sum(request)]]


def _legend(rows: Iterable[Row]) -> str:
    """What the signs mean that are in these rows."""
    shapes = {row.shape for row in rows}
    words = {row.application for row in rows}
    left_out = _LEFT_OUT if Shape.FOLD in shapes else ""
    return _LEGEND + left_out + (_EAGAIN if "EAGAIN" in words else "")


def _drawn(row: Row, longest_ns: int) -> Iterable[str]:
    at = format_at(row.at_ns, longest_ns)
    took = format_duration(row.took_ns) if row.took_ns is not None else ""
    label = row.label if took else ""
    left, right = _lanes(row.lane)
    application, kernel = row.application.ljust(_APPLICATION), f" {row.kernel}"
    match row.shape:
        case Shape.CALL:
            left, right = _HERE, _HERE
            application = _arrow(f" {row.application} ", "─", "▶", fill_at_end=True)
        case Shape.RETURN:
            left, right = _HERE, _HERE
            application = _arrow(f" {row.application} " if row.application else "", "─", "◀")
        case Shape.ARRIVAL:
            right, kernel = "●", f"◀── {row.kernel}"
        case Shape.FOLD:
            left, right = "⋮", "⋮"
    yield _line(at, left, application, right, kernel, label, took)
    for _ in range(row.height - 1):
        yield _line("", left, "", right, "", "", "")


def _lanes(lane: Lane) -> tuple[str, str]:
    match lane:
        case Lane.APPLICATION:
            return _HERE, _ELSEWHERE
        case Lane.KERNEL:
            return _ELSEWHERE, _HERE
        case _:
            return _NOWHERE, _NOWHERE


def _arrow(words: str, shaft: str, head: str, *, fill_at_end: bool = False) -> str:
    if fill_at_end:
        return (words + shaft * _APPLICATION)[: _APPLICATION - 1] + head
    return head + (shaft * _APPLICATION + words + shaft * 2)[-(_APPLICATION - 1) :]


def _line(
    at: str, left: str, application: str, right: str, kernel: str, label: str, took: str
) -> str:
    return (
        f"{at:>{_AT}} {left}{application[:_APPLICATION]:<{_APPLICATION}}{right}"
        f"{kernel[:_KERNEL]:<{_KERNEL}} {label:<{_LABEL}} {took:>{_TOOK}}"
    )


def format_at(at_ns: int, longest_ns: int) -> str:
    """A moment of the picture; all in one unit, to the tenth or thousandth of it."""
    if longest_ns < 10_000_000:
        return f"{at_ns / 1e3:,.1f} us"
    if longest_ns < 10_000_000_000:
        return f"{at_ns / 1e6:,.3f} ms"
    return f"{at_ns / 1e9:,.3f} s"


def _sum(request: Request) -> list[str]:
    sums = sums_ns(request)
    parts = " + ".join(
        f"{name} {format_duration(sums[label])}"
        for label, name in _NAMES.items()
        if sums.get(label)
    )
    words = f"{format_duration(request.to_ns - request.from_ns)} = {parts}."
    if request.left_behind:
        words += " The read before had filled its buffer: what is copied here came before it."
    elif request.ready_ns is not None:
        pickup_ns = request.copied_ns - request.ready_ns
        words += f" The data lay ready for {format_duration(pickup_ns)} before it was copied."
    return wrap(words, WIDTH)

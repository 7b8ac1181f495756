# SPDX-License-Identifier: Apache-2.0
"""Draws a request: two lanes side by side, time downwards, in 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from iotrace.demo.diagram_rows import Lane, Row, Shape, diagram_rows
from iotrace.demo.exchange import Exchange
from iotrace.demo.request import Request
from iotrace.demo.steps import CREATE, polling_ns, sums_ns, wait_phase_ns
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
    f"{_HERE} the thread runs on this side; {_ELSEWHERE} nothing happens on this one. {_NOWHERE} "
    "It has no CPU: it sleeps, or waits in the run queue (runq) for one."
)
_DESCRIPTOR = " In brackets: the descriptor."
_ARRIVES = " ● The data is in the kernel."
_TALL = " What takes 100 us or more is a line taller for each ten times as long."
_LEFT_OUT = " ⋮ Left out: more of the same."
_EAGAIN = " EAGAIN (EWOULDBLOCK): nothing there, try again."

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
    rows = diagram_rows(request)
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
    rows = tuple(rows)
    shapes = {row.shape for row in rows}
    signs = (
        (_DESCRIPTOR, any(row.application.endswith(")") for row in rows)),
        (_ARRIVES, Shape.ARRIVAL in shapes),
        (_TALL, any(row.height > 1 for row in rows)),
        (_LEFT_OUT, Shape.FOLD in shapes),
        (_EAGAIN, any(row.application == "EAGAIN" for row in rows)),
    )
    return _LEGEND + "".join(words for words, shown in signs if shown)


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
    whole_ns = request.to_ns - request.from_ns
    words = [f"{format_duration(whole_ns)} = {_parts(sums_ns(request))}."]
    polling = polling_ns(request)
    if polling:
        words.append(
            f"The polling that is left out, {format_duration(sum(polling.values()))}, is in "
            f"these: {_parts(polling)}."
        )
    return wrap(" ".join(words), WIDTH) + [line for one in _phases(request) for line in one]


def _parts(sums: Mapping[str, int]) -> str:
    return " + ".join(
        f"{name} {format_duration(sums[label])}"
        for label, name in _NAMES.items()
        if sums.get(label)
    )


def _phases(request: Request) -> Iterable[list[str]]:
    """The textbook's two phases, and what lies between them and after."""
    if request.left_behind:
        yield wrap(
            "The read before had filled its buffer: what is copied here came before it.", WIDTH
        )
        return
    phase = wait_phase_ns(request)
    if phase is None or not request.answered or request.ready_ns is None:
        return
    length_ns, asleep_ns = phase
    asleep = f"{format_duration(asleep_ns)} of it asleep" if asleep_ns else "none of it asleep"
    yield wrap(
        f"Wait phase: {format_duration(length_ns)} until the data had arrived, {asleep}. "
        f"Copy phase: {format_duration(sums_ns(request)['copy'])}, begun "
        f"{format_duration(request.copied_ns - request.ready_ns)} after the arrival. "
        f"From the arrival to the answer: {format_duration(request.latency_ns)}.",
        WIDTH,
    )
    if request.exchange is not None:
        yield wrap(_exchange(request.exchange), WIDTH)


def _exchange(exchange: Exchange) -> str:
    """As the table of requests counts it."""
    parts = (("queue", exchange.queue_ns), ("pickup", exchange.pickup_ns))
    told = [f"{name} {format_duration(ns)}" for name, ns in parts if ns]
    told.append(f"service {format_duration(exchange.service_ns)}")
    return f"In the table Requests: {format_duration(exchange.latency_ns)} = {' + '.join(told)}."

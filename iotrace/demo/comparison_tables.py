# SPDX-License-Identifier: Apache-2.0
"""The comparison as tables of 80 columns, a row a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from iotrace.demo.model_comparison import Cell, Entry, disagreements
from iotrace.output.blocks import Block, Column, Heading, Items, Paragraph, Table, figures, texts
from iotrace.output.units import UNKNOWN, format_count, format_duration, format_share

_BOOK = "book"
_DISAGREES = "≠"
_INTRODUCTION = (
    "One request at a time, each of them sent {delay} after the last answer: so long the server "
    f"must wait, and the rest is its own. {_BOOK}: what the textbook says of the figure to its "
    f"left; {_DISAGREES}: measured otherwise."
)


def blocks(entries: Sequence[Entry], delay_ns: int, left_out: Sequence[str]) -> list[Block]:
    """The page. ``left_out``: models that this host cannot run, and why."""
    found: list[Block] = [
        Paragraph(_INTRODUCTION.format(delay=format_duration(delay_ns))),
        _waiting(entries),
        _lateness(entries),
        _cost(entries),
    ]
    others = disagreements(entries)
    if others:
        found += [Heading(2, "Where the measurement disagrees"), Items(others)]
    if left_out:
        found += [Heading(2, "Not run here"), Items(tuple(left_out))]
    return found


def _waiting(entries: Sequence[Entry]) -> Table:
    return Table(
        title="Who waits, where, and who copies",
        legend=(
            "asleep in: the call in which the threads that serve spend most of their wait, and "
            "its share in %. wait: asleep, a request. I/O: synchronous, if the caller is held up "
            "while data is copied to it.",
        ),
        columns=(
            texts("model", (one.model for one in entries), least=11),
            texts("asleep in", (_asleep(one) for one in entries), least=10),
            figures("%", (_share(one.asleep_share) for one in entries)),
            _book(entries, lambda one: one.asleep_in),
            figures("wait", (_time(one.wait) for one in entries)),
            _book(entries, lambda one: one.wait),
            texts("I/O", (_kind(one.synchronous.measured) for one in entries), least=5),
            _book(entries, lambda one: one.synchronous, _kind),
        ),
    )


def _lateness(entries: Sequence[Entry]) -> Table:
    return Table(
        title="How late, and how dear",
        legend=(
            "pickup: from data ready to its copy, p50 and p99. A request: copy of data, run queue "
            "(ready, but without a CPU), CPU time in all.",
        ),
        columns=(
            texts("model", (one.model for one in entries), least=11),
            figures("pickup", (_time(one.pickup_p50) for one in entries)),
            figures("p99", (_time(one.pickup_p99) for one in entries)),
            _book(entries, lambda one: one.pickup_p50),
            figures("copy", (_time(one.copy) for one in entries)),
            figures("run queue", (_time(one.runq) for one in entries)),
            figures("CPU", (_time(one.cpu) for one in entries)),
            _book(entries, lambda one: one.cpu),
        ),
    )


def _cost(entries: Sequence[Entry]) -> Table:
    return Table(
        title="Calls and switches a request",
        legend=(
            "calls: system calls. sleeps: times that a thread goes to sleep; forced: that it must "
            "give way (both are context switches). requests/s: one client without any delay.",
        ),
        columns=(
            texts("model", (one.model for one in entries), least=11),
            figures("calls", (_per_request(one.calls) for one in entries)),
            _book(entries, lambda one: one.calls),
            figures("sleeps", (_per_request(one.switches) for one in entries)),
            _book(entries, lambda one: one.switches),
            figures("forced", (_per_request(one.preempted) for one in entries)),
            figures("requests/s", (_rate(one.requests_per_second) for one in entries)),
        ),
    )


def _book(
    entries: Sequence[Entry],
    cell: Callable[[Entry], Cell],
    word: Callable[[object], str] = lambda said: str(said),
) -> Column:
    """The textbook's column beside a figure."""
    return texts(_BOOK, (_said(cell(one), word) for one in entries), least=4)


def _said(cell: Cell, word: Callable[[object], str]) -> str:
    if cell.textbook is None:
        return "-"
    mark = f" {_DISAGREES}" if cell.agrees is False else ""
    return word(cell.textbook) + mark


def _asleep(one: Entry) -> str:
    syscall = str(one.asleep_in.measured or "nowhere")
    return syscall if one.servants == "main" else f"{one.servants}: {syscall}"


def _kind(synchronous: object) -> str:
    return {"synchronous": "sync", "asynchronous": "async"}.get(str(synchronous), UNKNOWN)


def _number(cell: Cell) -> float | None:
    return cell.measured if isinstance(cell.measured, (int, float)) else None


def _time(cell: Cell) -> str:
    return format_duration(_number(cell))


def _share(cell: Cell) -> str:
    return format_share(_number(cell), 1.0)


def _rate(cell: Cell) -> str:
    rate = _number(cell)
    return format_count(None if rate is None else round(rate))


def _per_request(cell: Cell) -> str:
    number = _number(cell)
    if number is None:
        return UNKNOWN
    return f"{number:.1f}" if number < 100 else format_count(round(number))

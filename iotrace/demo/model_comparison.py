# SPDX-License-Identifier: Apache-2.0
"""All models side by side: each figure, what the textbook says, and whether they agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from iotrace.demo.figures import Figures
from iotrace.demo.textbook import CLAIMS, Claim, Measured
from iotrace.servers.catalog import ServerModel

Value = str | float | int | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure. ``agrees`` None: the textbook says nothing, or there is nothing to compare."""

    measured: Value
    textbook: str | None = None
    agrees: bool | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model. Times in ns a request, counts a request.

    ``asleep_in``: the system call with the longest wait ("": none), ``asleep_share`` its share of
    the waits of the threads that read. ``switches``: the thread went to sleep; ``preempted``: it
    had to give way. ``pickup_p50``, ``pickup_p99``: from data ready to the copy.
    """

    model: str
    title: str
    servants: str
    calls: Cell
    switches: Cell
    preempted: Cell
    asleep_in: Cell
    asleep_share: Cell
    wait: Cell
    runq: Cell
    copy: Cell
    pickup_p50: Cell
    pickup_p99: Cell
    cpu: Cell
    requests_per_second: Cell
    synchronous: Cell


def entry(
    model: ServerModel, paced: Figures, delay_ns: int, requests_per_second: float | None
) -> Entry:
    """The row of a model: a paced run's figures, and its speed where nothing was waited for."""
    claims = CLAIMS[model.id]
    measured = Measured(paced, delay_ns)

    def compare(value: Value, claim: Claim | None) -> Cell:
        if claim is None or value is None:
            return Cell(value, claim.text if claim else None)
        return Cell(value, claim.text, claim.holds(measured))

    def each(total: int) -> float:
        return measured.a_request(total)

    pickup = paced.pickup
    syscall, share = paced.asleep_in
    said = "synchronous" if claims.synchronous else "asynchronous"
    is_synchronous = paced.synchronous
    found = {True: "synchronous", False: "asynchronous", None: None}[is_synchronous]
    return Entry(
        model=model.id,
        title=model.title,
        servants=paced.servants,
        calls=compare(each(paced.calls), claims.calls),
        switches=compare(each(paced.voluntary), claims.switches),
        preempted=Cell(each(paced.involuntary)),
        asleep_in=compare(syscall, claims.asleep),
        asleep_share=Cell(share),
        wait=compare(each(paced.wait_ns), claims.wait),
        runq=Cell(each(paced.runq_ns)),
        copy=Cell(each(paced.copy_ns)),
        pickup_p50=compare(pickup.p50 if pickup else None, claims.pickup),
        pickup_p99=Cell(pickup.p99 if pickup else None),
        cpu=compare(each(paced.cpu_ns), claims.cpu),
        requests_per_second=Cell(requests_per_second),
        synchronous=Cell(found, said, None if found is None else found == said),
    )


def verdicts(entry: Entry) -> dict[str, bool | None]:
    """Which of the textbook's claims hold; the keys are the columns that it makes claims about."""
    cells = {name: getattr(entry, name) for name in CLAIMED}
    return {name: cell.agrees for name, cell in cells.items() if cell.textbook is not None}


CLAIMED = ("calls", "switches", "asleep_in", "wait", "pickup_p50", "cpu", "synchronous")


def disagreements(entries: Sequence[Entry]) -> tuple[str, ...]:
    """A sentence for each figure that is not as the textbook has it."""
    return tuple(
        f"{one.model}: {_SENTENCES[name](getattr(one, name))}"
        for one in entries
        for name, agrees in verdicts(one).items()
        if agrees is False
    )


def _number(value: Value) -> float:
    assert isinstance(value, (int, float))
    return value


_SENTENCES: dict[str, Callable[[Cell], str]] = {
    "calls": lambda cell: f"{_number(cell.measured):.1f} calls a request, not {cell.textbook}",
    "switches": lambda cell: (
        f"asleep {_number(cell.measured):.1f} times a request, not {cell.textbook}"
    ),
    "asleep_in": lambda cell: f"it sleeps in {cell.measured or 'no call'}, not {cell.textbook}",
    "wait": lambda cell: (
        f"{_number(cell.measured) / 1e6:.1f} ms of wait a request, not {cell.textbook}"
    ),
    "pickup_p50": lambda cell: (
        f"data is picked up after {_number(cell.measured) / 1e3:.0f} us, not {cell.textbook!r}"
    ),
    "cpu": lambda cell: (
        f"{_number(cell.measured) / 1e6:.1f} ms of CPU time a request, not {cell.textbook!r}"
    ),
    "synchronous": lambda cell: f"its I/O is {cell.measured}, not {cell.textbook}",
}


def to_dict(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The rows as JSON has them; units are in the names."""
    return [
        {
            "model": one.model,
            "title": one.title,
            "servants": one.servants,
            **{
                key: {"measured": cell.measured, "textbook": cell.textbook, "agrees": cell.agrees}
                for name, key in _KEYS.items()
                for cell in (getattr(one, name),)
            },
        }
        for one in entries
    ]


_KEYS = {
    "calls": "calls_per_request",
    "switches": "voluntary_switches_per_request",
    "preempted": "involuntary_switches_per_request",
    "asleep_in": "asleep_in",
    "asleep_share": "asleep_in_ratio",
    "wait": "wait_per_request_ns",
    "runq": "runq_per_request_ns",
    "copy": "copy_per_request_ns",
    "pickup_p50": "pickup_p50_ns",
    "pickup_p99": "pickup_p99_ns",
    "cpu": "cpu_per_request_ns",
    "requests_per_second": "requests_per_second",
    "synchronous": "io",
}

# SPDX-License-Identifier: Apache-2.0
"""The textbook's picture of a request, with the times that were measured.

Two lanes, application and kernel, time downwards (Stevens, UNIX Network Programming, 6.2): the
call that waits for readiness, if there is one, then the call that takes the data. Each figure is
the mean of the calls that were made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.output import units
from iotrace.output.html.elements import Markup, tag
from iotrace.report.model import Call, Process
from iotrace.vocabulary.calls import MULTIPLEXERS, READS

_WIDE = 540
_MIDDLE = _WIDE // 2
_LANES = {"application": _WIDE // 4, "kernel": 3 * _WIDE // 4}
_BOX = 252
_HEAD = 34
_LEAST, _MOST = 24, 64


@dataclass(frozen=True, slots=True)
class _Step:
    """``lane`` of ``_LANES``; ``state``: a class of the style sheet; ``arrow`` leads to it."""

    lane: str
    state: str
    label: str
    time_ns: float
    arrow: str = ""


def section(process: Process) -> Markup:
    """The picture; nothing for a process that reads nothing."""
    reads = [call for call in process.calls if call.syscall in READS and call.bytes]
    if not reads:
        return Markup()
    read = max(reads, key=lambda call: (call.calls, call.bytes))
    waits = [
        call
        for call in process.calls
        if call.syscall in MULTIPLEXERS and call.tid == read.tid and call.calls
    ]
    steps = []
    if waits:
        steps += list(_steps(max(waits, key=lambda call: call.calls or 0), is_read=False))
    steps += list(_steps(read, is_read=True))
    made = f"{units.format_count(read.calls)} calls of {read.syscall}"
    note = "Box heights grow with the logarithm of the time."
    return tag(
        "section",
        tag("h3", "A typical read, as the textbook draws it"),
        tag("p", f"Means of {made} {read.kind}. {note}", class_="faint"),
        tag("div", _picture(steps), class_="scroll"),
    )


def _steps(call: Call, *, is_read: bool) -> Iterator[_Step]:
    count = call.calls or 1
    name = f"{call.syscall} {call.kind}".rstrip()
    blocked = call.wait_ns / count
    yield _Step("application", "call", f"calls {name}", 0.0)
    arrow = "system call"
    if call.wait_ns:
        what = "waits for data: blocked" if is_read else "waits until one is ready: blocked"
        yield _Step("kernel", "wait", what, blocked, arrow)
        arrow = ""
    if call.runq_ns:
        yield _Step("kernel", "runq", "ready, waits for a CPU", call.runq_ns / count, arrow)
        arrow = ""
    yield _Step("kernel", "kernel", "in the kernel", (call.kernel_ns or 0) / count, arrow)
    if is_read:
        estimated = " (est.)" if call.copy_estimated else ""
        yield _Step("kernel", "copy", f"copies data to the program{estimated}",
                    (call.copy_ns or 0) / count)  # fmt: skip
        returned = f"returns {units.format_size((call.bytes or 0) // count)}"
    else:
        returned = "returns what is ready"
    yield _Step("application", "user", "goes on", 0.0, returned)


def _picture(steps: list[_Step]) -> Markup:
    parts = [
        tag("text", lane, x=x, y=20, class_="lane", text_anchor="middle")
        for lane, x in _LANES.items()
    ]
    y = float(_HEAD)
    for step in steps:
        if step.arrow:
            parts += _arrow(step, y + 14)
            y += 24
        parts += _box(step, y)
        y += _height(step) + 4
    border = tag("line", x1=_MIDDLE, y1=6, x2=_MIDDLE, y2=y, class_="border")
    return tag(
        "svg", border, *parts, viewBox=f"0 0 {_WIDE} {y + 4:.0f}", class_="lanes", role="img",
        aria_label="; ".join(f"{step.lane}: {step.label}" for step in steps),
    )  # fmt: skip


def _height(step: _Step) -> float:
    """Eight units more for each ten times as long, from 1 us on."""
    grown = 8 * math.log10(max(step.time_ns, 1.0) / 1_000)
    return min(_MOST, max(_LEAST, _LEAST + grown))


def _box(step: _Step, y: float) -> list[Markup]:
    x = _LANES[step.lane] - _BOX / 2
    height = _height(step)
    time = f": {units.format_duration(step.time_ns)}" if step.time_ns else ""
    return [
        tag("rect", x=x, y=y, width=_BOX, height=height, rx=4, class_=f"box b-{step.state}"),
        tag("text", step.label + time, x=_LANES[step.lane], y=y + height / 2 + 4,
            text_anchor="middle"),
    ]  # fmt: skip


def _arrow(step: _Step, y: float) -> list[Markup]:
    ends = sorted(_LANES.values())
    start, end = ends if step.lane == "kernel" else reversed(ends)
    tip = 8 if start < end else -8
    return [
        tag("line", x1=start, y1=y, x2=end, y2=y, class_="arrow"),
        tag("path", d=f"M{end} {y} l{-tip} -4 v8 z", class_="tip"),
        tag("text", step.arrow, x=_MIDDLE, y=y - 4, text_anchor="middle", class_="small"),
    ]

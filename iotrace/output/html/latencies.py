"""The costliest calls: what a call's time consists of, and its percentiles on one axis."""

from __future__ import annotations

import math

from iotrace.output import units
from iotrace.output.html.markup import Markup, tag
from iotrace.output.html.states import bar
from iotrace.output.naming import name_tid
from iotrace.output.tables import cost
from iotrace.report.detail import known
from iotrace.report.model import Call, Percentiles, Process

_MOST_CALLS = 16
_WIDE = 1000


def section(process: Process) -> Markup:
    """A row a call; nothing if none has returned."""
    timed = [(call, call.latency_ns) for call in process.calls if call.latency_ns and call.calls]
    shown, rest = cost.costliest(timed, lambda row: known(row[0].total_ns), _MOST_CALLS)
    if not shown:
        return Markup()
    shortest = min(max(latency.p50, 1) for _, latency in shown)
    longest = max(max(latency.max, 10) for _, latency in shown)
    axis = _Axis(math.floor(math.log10(shortest)), math.ceil(math.log10(longest) + 1e-9))
    more = f"… and {units.format_count(len(rest))} more" if rest else ""
    return tag(
        "section",
        tag("h3", "Wait and copy in each call, and how long calls took"),
        tag(
            "p",
            "Left: what the time in the call was (wait, run queue, kernel, copy). Right: p50 "
            "and p99 (the line's ends), p90, p99.9 and max (marks), from "
            f"{axis.label(axis.low)} to {axis.label(axis.high)}, a line each ten times.",
            class_="faint",
        ),
        tag("div", *(_row(call, latency, axis) for call, latency in shown), class_="calls"),
        *([tag("p", more, class_="faint")] if more else []),
    )


class _Axis:
    """Logarithmic; ``low`` and ``high`` are powers of ten of a nanosecond."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, max(high, low + 1)

    def x(self, nanoseconds: int) -> float:
        return _WIDE * (math.log10(max(nanoseconds, 1)) - self.low) / (self.high - self.low)

    def label(self, power: int) -> str:
        return units.format_duration(10**power)


def _row(call: Call, latency: Percentiles, axis: _Axis) -> Markup:
    phases = [
        ("wait", call.wait_ns),
        ("runq", call.runq_ns),
        ("kernel", known(call.kernel_ns)),
        ("copy", known(call.copy_ns)),
    ]
    told = ", ".join(f"{name} {units.format_duration(time)}" for name, time in phases)
    percentiles = f"p50 {units.format_duration(latency.p50)}, p99 "
    percentiles += units.format_duration(latency.p99)
    name = f"{call.syscall} {call.kind}".rstrip()
    return tag(
        "div",
        tag("span", f"{name_tid(call.tid)} {name}", class_="name"),
        bar(phases, known(call.total_ns), told),
        _line(latency, axis, percentiles),
        tag("span", percentiles, class_="figure"),
        class_="row",
    )


def _line(latency: Percentiles, axis: _Axis, label: str) -> Markup:
    grid = [
        tag("line", x1=axis.x(10**power), x2=axis.x(10**power), y1=0, y2=20, class_="grid")
        for power in range(axis.low + 1, axis.high)
    ]
    x50, x99 = axis.x(latency.p50), axis.x(latency.p99)
    marks = [
        tag("line", x1=axis.x(time), x2=axis.x(time), y1=top, y2=20 - top, class_="mark")
        for time, top in ((latency.p90, 6), (latency.p999, 6), (latency.max, 3))
    ]
    title = ", ".join(
        f"{name} {units.format_duration(getattr(latency, field))}"
        for name, field in (
            *(("p50", "p50"), ("p90", "p90"), ("p99", "p99")),
            *(("p99.9", "p999"), ("max", "max")),
        )
    )
    return tag(
        "svg",
        tag("title", title),
        *grid,
        tag("rect", x=x50, y=8, width=max(x99 - x50, 2), height=4, class_="range"),
        tag("rect", x=x50 - 4, y=4, width=8, height=12, class_="p50"),
        tag("rect", x=x99 - 2, y=4, width=4, height=12, class_="p99"),
        *marks,
        viewBox=f"0 0 {_WIDE} 20", preserveAspectRatio="none", class_="bar axis", role="img",
        aria_label=label,
    )  # fmt: skip

# SPDX-License-Identifier: Apache-2.0
"""One histogram, drawn on a logarithmic axis of time that it shares with others.

It is drawn as plain SVG: nothing needs a script to be seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from iotrace.output.html.elements import Markup, tag
from iotrace.report.model import Bucket

_WIDE = 360
_MARGIN = 26
"""Left and right, for a label at either end."""
_TOP, _BASE, _HIGH = 12, 50, 53
_LEAST = 0.8
"""So high is what is rare at least: one call among millions is seen."""
_MOST_LABELS = 8
_UNITS = ("ns", "us", "ms", "s")

Band = tuple[int, int, str]
"""[from_ns, to_ns) on the axis, and the class of the style sheet that it is drawn in."""


class Axis:
    """From a power of ten of a nanosecond to another, so that all of these times are on it."""

    def __init__(self, times_ns: Sequence[int]) -> None:
        shortest, longest = min(times_ns, default=1), max(times_ns, default=1)
        self.low = math.floor(math.log10(max(shortest, 1)))
        self.high = max(self.low + 1, math.ceil(math.log10(max(longest, 1))))

    def x(self, ns: int) -> float:
        """Where a time is; what is off the axis is at its end."""
        at = (math.log10(max(ns, 1)) - self.low) / (self.high - self.low)
        return _MARGIN + (_WIDE - 2 * _MARGIN) * min(1.0, max(0.0, at))

    def drawn(self) -> Markup:
        """The labels, to stand below histograms."""
        step = math.ceil((self.high - self.low) / _MOST_LABELS)
        labels = (
            tag("text", _power(power), x=self.x(10**power), y=10, text_anchor="middle")
            for power in range(self.low, self.high + 1, step)
        )
        return tag("svg", *labels, viewBox=f"0 0 {_WIDE} 13", class_="axis", aria_hidden="true")

    def grid(self) -> Markup:
        """A line each ten times."""
        at = (self.x(10**power) for power in range(self.low, self.high + 1))
        return tag("path", d="".join(f"M{_short(x)} {_TOP}V{_BASE}" for x in at), class_="grid")


def times_of(buckets: Sequence[Bucket], p50: int, p99: int) -> list[int]:
    """All that an axis must reach for this histogram."""
    return [*(end for low, high, _ in buckets for end in (_start(low, high), high)), p50, p99]


def drawn(
    buckets: Sequence[Bucket],
    p50: int,
    p99: int,
    axis: Axis,
    style: str,
    label: str,
    bands: Sequence[Band] = (),
) -> Markup:
    """The histogram with its marks; of one that was not kept, the line from p50 to p99.

    Areas are in proportion to the counts. ``style``: a class of the style sheet; ``label``: for
    who cannot see it. ``bands`` are drawn behind it.
    """
    behind = [
        tag("rect", x=axis.x(from_ns), y=_TOP, width=max(0.0, axis.x(to_ns) - axis.x(from_ns)),
            height=_BASE - _TOP, class_=name)
        for from_ns, to_ns, name in bands
    ]  # fmt: skip
    marks = [
        tag("path", d=f"M{_short(axis.x(ns))} {_TOP - 4}V{_BASE}", class_=name)
        for ns, name in ((p50, "p50"), (p99, "p99"))
    ]
    words = [
        tag("text", "p50", x=axis.x(p50) - 2, y=_TOP - 3, text_anchor="end"),
        tag("text", "p99", x=axis.x(p99) + 2, y=_TOP - 3),
    ]
    shape = (
        tag("path", d=_outline(buckets, axis), class_=f"shape {style}")
        if buckets
        else tag("rect", x=axis.x(p50), y=_BASE - 6, width=axis.x(p99) - axis.x(p50), height=4,
                 class_=f"shape {style}")
    )  # fmt: skip
    base = tag("path", d=f"M{_MARGIN} {_BASE}H{_WIDE - _MARGIN}", class_="base")
    return tag(
        "svg", *behind, axis.grid(), shape, base, *marks, *words,
        viewBox=f"0 0 {_WIDE} {_HIGH}", class_="histogram", role="img", aria_label=label,
    )  # fmt: skip


def _outline(buckets: Sequence[Bucket], axis: Axis) -> str:
    bars = [
        (axis.x(_start(low, high)), axis.x(high), count)
        for low, high, count in buckets
        if count > 0 and axis.x(high) > axis.x(_start(low, high))
    ]
    densest = max((count / (right - left) for left, right, count in bars), default=1.0)
    steps: list[str] = []
    x, y = "", f"{_BASE}"
    for left, right, count in bars:
        high = max(_LEAST, (_BASE - _TOP) * count / (right - left) / densest)
        top = _short(_BASE - high)
        if _short(left) != x:
            steps.append(f"{f'V{_BASE}' if x else ''}M{_short(left)} {_BASE}V{top}")
        elif top == y:
            steps.pop()  # as high as the one before: one line is enough
        else:
            steps.append(f"V{top}")
        x, y = _short(right), top
        steps.append(f"H{x}")
    return "".join(steps) + f"V{_BASE}"


def _start(low: int, high: int) -> int:
    """The first bucket begins at 0, which is nowhere on a logarithmic axis."""
    return low or high // 2


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _power(power: int) -> str:
    """A power of ten of a nanosecond: "1 us", "10 us"."""
    unit = min(power // 3, len(_UNITS) - 1)
    return f"{10 ** (power - 3 * unit):,} {_UNITS[unit]}"

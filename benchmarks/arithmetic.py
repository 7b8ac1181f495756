# SPDX-License-Identifier: Apache-2.0
"""Medians, their intervals, paired ratios: no assumption about how the noise is distributed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of ``samples`` figures; ``low`` to ``high`` covers the true median with ``coverage``."""

    median: float
    low: float
    high: float
    samples: int
    coverage: float


def estimate(figures: Sequence[float], wanted: float = 0.95) -> Estimate:
    """The median, and the narrowest pair of order statistics that covers it as often as wanted.

    A figure is below the true median as often as a fair coin shows heads, so the k-th from below
    and the k-th from above miss it with 2 * P(fewer than k heads in n throws). Of fewer than six
    figures even the extremes cover it less often than 95 %: ``coverage`` says how often.
    Raises ValueError for no figures at all.
    """
    if not figures:
        raise ValueError("no figures")
    ordered = sorted(figures)
    throws = len(ordered)
    place, missed = 0, 2 * 0.5**throws
    below = missed
    while place + 1 < throws - place - 1:
        below += 2 * math.comb(throws, place + 1) * 0.5**throws
        if below > 1 - wanted:
            break
        place, missed = place + 1, below
    return Estimate(
        median(ordered), ordered[place], ordered[-1 - place], throws, max(0.0, 1 - missed)
    )


@dataclass(frozen=True, slots=True)
class Window:
    """So many operations in so many nanoseconds."""

    operations: int
    ns: int

    def __add__(self, other: Window) -> Window:
        return Window(self.operations + other.operations, self.ns + other.ns)

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.ns * 1e9

    @property
    def ns_each(self) -> float:
        """Of one operation; where none ended, at least so long."""
        return self.ns / max(self.operations, 1)


@dataclass(frozen=True, slots=True)
class Cycle:
    """What was done without and with a tracer, around the same point in time."""

    without: Window
    traced: Window

    @property
    def ratio(self) -> float:
        """Throughput with / without."""
        return self.traced.rate / self.without.rate

    @property
    def added_ns(self) -> float:
        """What each operation takes longer."""
        return self.traced.ns_each - self.without.ns_each


def abba(windows: Sequence[Window]) -> list[Cycle]:
    """Windows in the order of time: without, with, with, without, and again.

    The pairs of one cycle have the same middle: what drifts evenly, drifts out.
    Raises ValueError for windows that are no whole number of cycles, or a server that stood still.
    """
    if not windows or len(windows) % 4:
        raise ValueError("not a whole number of cycles")
    return [
        _cycle(windows[i] + windows[i + 3], windows[i + 1] + windows[i + 2])
        for i in range(0, len(windows), 4)
    ]


def growth_ns(small: Sequence[Cycle], large: Sequence[Cycle]) -> list[float]:
    """How much more a tracer adds to an operation of the large, pair by pair.

    A machine's speed of the moment is in both of a pair, which were measured one after the other.
    Raises ValueError where they are no pairs.
    """
    return [after.added_ns - before.added_ns for before, after in zip(small, large, strict=True)]


def around(windows: Sequence[Window]) -> list[Cycle]:
    """For tracers that start slowly: without, with, without, with, ..., without.

    Each traced window is held against the two around it. Raises ValueError as ``abba`` does.
    """
    if len(windows) < 3 or len(windows) % 2 == 0:
        raise ValueError("it begins and ends without")
    return [_cycle(windows[i - 1] + windows[i + 1], windows[i]) for i in range(1, len(windows), 2)]


def _cycle(without: Window, traced: Window) -> Cycle:
    if not without.operations:
        raise ValueError("nothing was done, even without a tracer")
    return Cycle(without, traced)

# SPDX-License-Identifier: Apache-2.0
"""Figures in the verdict's sentences."""

from __future__ import annotations

ROUNDS_UP = 0.9995
"""Of a unit: so much is one of it in three digits, and 1,000 of the next smaller one."""
_UNITS = ((10**9, "s"), (10**6, "ms"), (10**3, "us"), (1, "ns"))


def share(part: float, total: float) -> str:
    """ "98.7 %"; "0 %" of nothing."""
    percent = 100 * min(part, total) / total if total > 0 else 0.0
    if 99.95 <= percent < 100:
        return ">99.9 %"
    if 0 < percent < 0.05:
        return "<0.1 %"
    return f"{percent:.1f}".removesuffix(".0") + " %"


def duration(ns: float) -> str:
    """ "201 ms", "1,230 s"."""
    for scale, unit in _UNITS:
        if ns >= ROUNDS_UP * scale:
            return f"{figure(ns / scale)} {unit}"
    return "0 ms"


def figure(value: float) -> str:
    """Three digits that count, and never an exponent for a large one: "0.123", "12.3", "1,230"."""
    if value < 1_000 * ROUNDS_UP:
        return f"{value:.3g}"
    digits = len(str(round(value)))
    return f"{round(value, 3 - digits):,.0f}"


def mebibytes(number: int | None) -> str:
    """ "86 MiB"; "0 MiB" of nothing."""
    return f"{(number or 0) >> 20:,} MiB"


def plural(number: int, noun: str) -> str:
    """ "1 worker", "4 workers"; "2 processes"."""
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def possessive(words: str) -> str:
    """ "its 4 workers'", "its 1 worker's"."""
    return words + ("'" if words.endswith("s") else "'s")

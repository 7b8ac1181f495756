"""A thread's time as a bar of characters: told by their shapes, and by colours besides."""

from __future__ import annotations

from iotrace.live.picture import Shares

STATES = {
    "cpu": "▆",
    "user": "█",
    "kernel": "▓",
    "copy": "▒",
    "runq": "!",
    "wait": "·",
    "unaccounted": "?",
}
"""State -> the character it is drawn with, in the order of the bar."""


def bar(shares: Shares, columns: int) -> list[tuple[str, str]]:
    """Text and state, ``columns`` characters in all; by largest remainder, so that they add up.

    Empty where no time has passed.
    """
    parts = {state: getattr(shares, state) * columns for state in STATES}
    cells = {state: int(part) for state, part in parts.items()}
    missing = columns - sum(cells.values()) if any(parts.values()) else 0
    by_remainder = sorted(STATES, key=lambda state: parts[state] - cells[state], reverse=True)
    for state in by_remainder[:missing]:
        cells[state] += 1
    return [(STATES[state] * number, state) for state, number in cells.items() if number]

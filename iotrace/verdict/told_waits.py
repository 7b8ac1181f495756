# SPDX-License-Identifier: Apache-2.0
"""What a finding's line says was done where, so that two lines about the same can be told.

The lines are those of python_lines.py, stuck.py and the rules: ``PLACE -> CALL...: FIGURES``, or
``PLACE: 45 % of its CPU time...``.
"""

from __future__ import annotations

from dataclasses import dataclass

COMPUTES = "computing"
_OF_CPU = " of its CPU time"
_LOCKS = frozenset(("futex", "waits"))
""" "waits for the lock" (IO144)."""


@dataclass(frozen=True, slots=True)
class ToldWait:
    """``place``: "orders.py:88 get"; of what computes, without the line: samples find a function
    at many. ``does``: a system call, or ``COMPUTES``."""

    place: str
    does: str

    @property
    def is_for_lock(self) -> bool:
        """Somebody else has to let go of it."""
        return self.does in _LOCKS

    def is_of_lock_of(self, other: ToldWait) -> bool:
        """Both wait for a lock at one line."""
        return self.place == other.place and self.is_for_lock and other.is_for_lock


def told_wait(line: str) -> ToldWait | None:
    """None: it tells of no single place."""
    named, _, figures = line.partition(": ")
    place, _, does = named.partition(" -> ")
    if _OF_CPU in figures:
        does = COMPUTES
    words = does.removeprefix("blocking ").split()
    where, _, function = place.partition(" ")
    if not words or not function:
        return None
    if words[0] == COMPUTES:
        function = function.partition(" (")[0]  # what of it is in which package
        return ToldWait(f"{where.rpartition(':')[0]} {function}", COMPUTES)
    return ToldWait(place, words[0])

# SPDX-License-Identifier: Apache-2.0
"""A line of a finding: what is printed, and as data what was done where, so that two lines about
the same can be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from iotrace.report.stacks import Frame

COMPUTES = "computing"
HELD_LOCK = "held lock"
MOST = 3
"""Lines in a finding; the tables have them all."""
_LOCKS = frozenset(("futex", HELD_LOCK))


@dataclass(frozen=True, slots=True)
class ToldWait:
    """``does``: a system call, what else stalls a loop (``StallCause.cause``), ``COMPUTES``, or
    ``HELD_LOCK``: waits for a lock of which it is known who has it (IO144).

    ``line`` None: of what computes; samples find a function at many lines.
    """

    file: str
    function: str
    line: int | None
    does: str

    @property
    def place(self) -> str:
        """ "orders.py:88 get"; of what computes "orders.py get"."""
        place = Frame(self.function, self.file, self.line).place
        return f"{place if self.line else place.rpartition(':')[0]} {self.function}"

    @property
    def is_for_lock(self) -> bool:
        """Somebody else has to let go of it."""
        return self.does in _LOCKS

    def is_of_lock_of(self, other: ToldWait) -> bool:
        """Both wait for a lock at one line."""
        same = replace(self, does=other.does) == other
        return same and self.is_for_lock and other.is_for_lock


def frame_text(frame: Frame) -> str:
    """ "orders.py:88 get"."""
    return f"{frame.place} {frame.function}"


def wait_at(frame: Frame, does: str) -> ToldWait:
    """What is done at the program's own innermost frame."""
    line = None if does == COMPUTES else frame.line
    return ToldWait(frame.file, frame.function, line, does)


@dataclass(frozen=True, slots=True)
class ToldLine:
    """``wait`` None: it tells of no single place, or of no call there."""

    text: str
    wait: ToldWait | None = None


def texts_of(lines: Iterable[ToldLine]) -> tuple[str, ...]:
    """What is printed of them."""
    return tuple(one.text for one in lines)

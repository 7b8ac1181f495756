"""What a rule is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from iotrace.report.detail import Detail
from iotrace.verdict.process_profile import ProcessProfile

HIGH_SHARE = 0.2
MEDIUM_SHARE = 0.05
"""Severity is the cost's share of the time traced: high, medium, and low below that."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule holds. ``evidence``: figures, their units in the names.

    ``lines``: the Python lines that it is about, the costliest first (verdict/python_lines.py).
    ``cost_ns``: wall or CPU time that it takes; None: a risk that costs nothing yet, whose
    ``severity`` the rule sets itself.
    """

    evidence: dict[str, float | int | str]
    cost_ns: int | None
    tid: int | None = None
    fd: int | None = None
    severity: str | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A stable id, what to tell the user, and how it is recognised in one process.

    ``explains_lateness``: it says why data was picked up late, so that rule need not.
    ``least``: the detail that knows the figures which show it.
    """

    id: str
    title: str
    advice: str
    check: Callable[[ProcessProfile], Iterable[Hit]]
    explains_lateness: bool = False
    least: Detail = Detail.FULL


def severity(cost_ns: int, wall_ns: int) -> str:
    """By the cost's share of the time traced."""
    cost = cost_ns / max(1, wall_ns)
    return "high" if cost >= HIGH_SHARE else "medium" if cost >= MEDIUM_SHARE else "low"

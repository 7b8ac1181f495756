# SPDX-License-Identifier: Apache-2.0
"""Where asyncio tasks wait: a part of the report's model."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.report.stacks import Frame, Stacked


@dataclass(frozen=True, slots=True)
class TaskWait(Stacked):
    """Suspended tasks that await the same thing by way of the same lines.

    ``awaits``: the type of what they await. ``tasks``: at the last look; ``mean``: on the average
    of all looks; ``longest_ns``: for so long at least one of them was there at every look.
    ``own``: place in ``stack`` (the await chain, innermost first) of the innermost frame that is
    the program's own.
    """

    awaits: str
    tasks: int
    mean: float
    longest_ns: int
    own: int
    stack: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class TaskWaits:
    """The asyncio tasks of a process since the trace began, by where they wait, most tasks first.

    ``looks``: how often they were looked at, in ``watched_ns``; ``tasks``: all of the last look.
    Of more than 100 places, those with the fewest tasks are left out: ``left_out``.
    ``inherited_by``: while tasks waited for the end of a child's output for two seconds or more,
    "4321 tail" for each process that could write to a pipe which this process reads, and that no
    child of it has open.
    """

    looks: int
    watched_ns: int
    tasks: int
    rows: tuple[TaskWait, ...]
    left_out: int = 0
    inherited_by: tuple[str, ...] = ()

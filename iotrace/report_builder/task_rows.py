# SPDX-License-Identifier: Apache-2.0
"""Rows of asyncio tasks, by where they wait."""

from __future__ import annotations

from iotrace.report.stacks import Frame
from iotrace.report.task_waits import TaskWait, TaskWaits
from iotrace.report_builder.stack_rows import own_place
from iotrace.snapshot.task_book import ProcessTasks, WaitTotals, Where

MOST_ROWS = 100


def task_rows(found: ProcessTasks | None) -> TaskWaits | None:
    """None: the process has no asyncio, or was not looked at."""
    if found is None:
        return None
    ranked = sorted(found.places.items(), key=lambda item: (-item[1].seen, -item[1].longest_ns))
    return TaskWaits(
        looks=found.looks,
        watched_ns=found.last_ns - found.first_ns,
        tasks=found.tasks,
        rows=tuple(_row(where, one, found.looks) for where, one in ranked[:MOST_ROWS]),
        left_out=max(0, len(ranked) - MOST_ROWS),
    )


def _row(where: Where, totals: WaitTotals, looks: int) -> TaskWait:
    awaits, chain = where
    stack = tuple([Frame(at.function, at.file, at.line, True) for at in reversed(chain)])
    return TaskWait(
        awaits=awaits,
        tasks=totals.tasks,
        mean=round(totals.seen / looks, 3),
        longest_ns=totals.longest_ns,
        own=own_place(stack),
        stack=stack,
    )

# SPDX-License-Identifier: Apache-2.0
"""The asyncio tasks that keep a program from its end."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.report.task_waits import TaskWait
from iotrace.verdict.frames import in_library
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.told_lines import ToldLine
from iotrace.verdict.waiting_tasks import WaitingTasks, purpose_of_task, task_lines


def own_tasks(profile: ProcessProfile) -> list[TaskWait]:
    """Those that wait in the program's own code, whatever it has called."""
    rows = profile.tasks.rows if profile.tasks else ()
    return [one for one in rows if one.stack and not in_library(one.own_stack[0])]


def lines_of(tasks: Sequence[TaskWait]) -> tuple[ToldLine, ...]:
    return task_lines(WaitingTasks(one, Purpose.OTHER) for one in tasks)


def for_children(tasks: Sequence[TaskWait], profile: ProcessProfile) -> str:
    """ ", which wait for..." where that is what all of them do."""
    if not tasks or any(purpose_of_task(one.stack) is not Purpose.CHILD for one in tasks):
        return ""
    children = profile.children
    if children and all(one.process.ended_ns is not None for one in children):
        return ", waiting for the end of child processes that are there no more,"
    return ", waiting for the end of child processes,"


OF_CHILDREN = (
    "Look at what the child processes do (trace them), and end them first. Where there are none "
    "any more, nobody will wake who waits for them: a task that was cancelled while it started a "
    "child (in create_subprocess_exec) waits for its end for good in some versions of Python. "
    "Cancel such tasks only when that has returned (asyncio.shield around it; an Event that they "
    "look at), or update Python."
)

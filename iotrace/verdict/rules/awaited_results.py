# SPDX-License-Identifier: Apache-2.0
"""Jobs of an asyncio worker that all wait for the results of other jobs, while none is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iotrace.verdict.frames import library_frames, package_of, short_name
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit
from iotrace.verdict.waiting_tasks import (
    WaitingTasks,
    function_text,
    long_task_ns,
    longest_of,
    mean_of,
    purpose_of_task,
    taker_of,
    task_lines,
)

WAITS_FOR_TURN = "more_are_not_taken"
"""The evidence that names who takes jobs, and waits for a place."""
SAME = 0.5
"""Of a task: no more and no fewer are there than at the looks before, on their average, which is
rounded."""
_RESULTS = re.compile(r"^_?(?:get_|wait_|wait_for_|fetch_)?(?:result|results|join|wait_result)$")
"""Functions of libraries that give the result of a job that was started."""
_TAKERS = (Purpose.LOCK, Purpose.ROOM, Purpose.POOL)


def jobs_await_jobs(profile: ProcessProfile) -> Iterator[Hit]:
    """A worker's library runs them, and has waited for one of its places for the whole trace: none
    of the jobs that have them has ended."""
    tasks = profile.tasks
    if tasks is None:
        return
    rows = [WaitingTasks(row, purpose_of_task(row.stack)) for row in tasks.rows if row.stack]
    long_ns = long_task_ns(profile)
    taking = [one for one in rows if one.purpose in _TAKERS and one.wait.longest_ns >= long_ns]
    workers = {package_of(taker_of(one.wait.stack)) for one in taking}
    awaiting = [one for one in rows if _asked(one) and workers & _run_by(one)]
    count = sum(one.wait.tasks for one in awaiting)
    if not count or not taking or abs(count - mean_of(awaiting)) >= SAME:
        return
    first = max(awaiting, key=lambda one: one.wait.mean)
    turn = max(taking, key=lambda one: one.wait.longest_ns)
    waited = longest_of(taking)
    yield Hit(
        {
            "tasks_waiting": count,
            "awaited_in": _asked(first),
            WAITS_FOR_TURN: function_text(turn.wait.stack),
            "longest_ns": waited,
        },
        min(profile.wall_ns, waited),
        severity="high",
        lines=task_lines(awaiting),
        title=f"{plural(count, 'asyncio task')} of a worker wait for results of other jobs, most "
        f"in {_asked(first)} at {first.place}; none of them has ended in {duration(waited)} and "
        f"more, and no other job is begun: most likely a deadlock, what they wait for stands "
        "behind them in the queue",
    )


def _asked(one: WaitingTasks) -> str:
    """ "AsyncTaskiqTask.wait_result (taskiq/task.py)": the library's function for a result that the
    program's own code awaits; "": it awaits something else."""
    library = library_frames(one.wait.stack)
    outer = library[-1] if library and len(library) < len(one.wait.stack) else None
    if outer is None or not package_of(outer) or not _RESULTS.search(short_name(outer)):
        return ""
    return function_text((outer,))


def _run_by(one: WaitingTasks) -> set[str]:
    """The packages that have called the program's own code."""
    inner = len(library_frames(one.wait.stack))
    return {package_of(frame) for frame in one.wait.stack[inner:]} - {""}

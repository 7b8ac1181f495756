# SPDX-License-Identifier: Apache-2.0
"""asyncio tasks that queue for something of the program's own: no system call shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.detail import Detail
from iotrace.report.task_waits import TaskWaits
from iotrace.verdict.connection_holders import connection_holders
from iotrace.verdict.frames import has_own, in_library, short_name
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.pool_threads import pool_of
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, covers
from iotrace.verdict.told_lines import ToldLine
from iotrace.verdict.waiting_tasks import (
    WaitingTasks,
    busiest_upstream,
    function_text,
    longest_of,
    mean_of,
    owed,
    taker_of,
    task_lines,
    tasks_of_threads,
    waiting_tasks,
)

WHOLE_SHARE = 0.9
"""Of the time between the first look and the last."""
LEAST_MEAN = 1.0
"""Tasks that wait at a time, on the average of the looks,"""
LEAST_NS = 900_000_000
"""and so long that one of them is known to have waited: some looks in a row found it there;"""
MANY = 3.0
"""or so many tasks at a time, of which none need be there at two looks."""
MANY_AT_ONE_LOOK = 8.0
"""Tasks, where there was time for one look only."""
HALF_A_TASK = 0.5
"""A mean of whole tasks is rounded."""
_QUEUES = (Purpose.POOL, Purpose.LOCK, Purpose.ROOM, Purpose.RESULT)
_STOPPED = (Purpose.POOL, Purpose.ROOM)
"""Grave where nothing moves, though nobody is served: a crawler has more to do than connections, or
room, as a rule, and gets on with it."""


def _queued(profile: ProcessProfile) -> Iterator[Hit]:
    found = waiting_tasks(profile)
    for purpose in _QUEUES:
        group = [one for one in found if one.purpose is purpose]
        if group and is_queue(group, profile.tasks):
            yield _hit(purpose, group, profile)


def is_queue(group: Sequence[WaitingTasks], tasks: TaskWaits | None) -> bool:
    """Whether more than now and then somebody waits."""
    mean = mean_of(group)
    if tasks is None or tasks.looks < 2:
        return mean >= MANY_AT_ONE_LOOK
    return mean >= MANY or (mean >= LEAST_MEAN and longest_of(group) >= LEAST_NS)


def _hit(purpose: Purpose, group: Sequence[WaitingTasks], profile: ProcessProfile) -> Hit:
    first = max(group, key=lambda one: one.wait.mean)
    longest, mean = longest_of(group), mean_of(group)
    evidence: dict[str, float | int | str] = {
        "awaited_in": function_text(first.wait.stack),
        "tasks_waiting": sum(one.wait.tasks for one in group),
        "tasks_waiting_mean": round(mean, 1),
        **({"longest_ns": longest} if longest else {}),
        **owed(profile),
    }
    if purpose is Purpose.POOL:
        evidence |= busiest_upstream(profile)
    still = _stands_still(group, profile)
    lines = task_lines(group)
    if purpose is Purpose.LOCK:
        lines = (*lines[:2], *_holders(first, profile))
    if purpose is Purpose.POOL:
        lines = (*lines[:2], *connection_holders(group, profile))
    serves = bool(profile.process.requests) or bool(profile.listening_ports())
    return Hit(
        evidence,
        int(mean * profile.wall_ns),
        severity="high" if serves or (purpose in _STOPPED and still) else "low",
        lines=lines,
        title=_title(purpose, first, mean, longest, still=still),
        advice=_ADVICE[purpose],
    )


def _title(purpose: Purpose, first: WaitingTasks, mean: float, longest: int, *, still: bool) -> str:
    tasks = plural(max(1, round(mean)), "asyncio task")
    where = function_text(first.wait.stack)
    since = ""
    if still:
        since = f", and are never given one in {duration(longest)}"
    elif longest >= LEAST_NS:
        since = f", for {duration(longest)} and more"
    what = {
        Purpose.POOL: f"Connection pool exhausted: {tasks} wait for a free connection in {where}",
        Purpose.LOCK: f"Requests queue for an asyncio lock or semaphore{_whose(first)}: {tasks} "
        f"wait at {first.place}",
        Purpose.ROOM: f"Queue full: {tasks} wait for room in it at {first.place}",
        Purpose.RESULT: f"Thread pool full: {tasks} wait for a free thread of AnyIO at "
        f"{first.place}",
    }[purpose]
    return what + since


def _stands_still(group: Sequence[WaitingTasks], profile: ProcessProfile) -> bool:
    """Whether one of them has waited for as long as was looked, and there are no fewer than before:
    what they wait for does not come."""
    tasks = profile.tasks
    watched = tasks.watched_ns if tasks else 0
    shrinks = sum(one.wait.tasks for one in group) + HALF_A_TASK < mean_of(group)
    return longest_of(group) >= max(LEAST_NS, WHOLE_SHARE * watched) and not shrinks


def _whose(first: WaitingTasks) -> str:
    """ " of ConnectionPool.get_connection (asyncio/connection.py)" where a library takes it."""
    taker = taker_of(first.wait.stack)
    return f" in {function_text(first.wait.stack)}" if in_library(taker) else ""


def _holders(first: WaitingTasks, profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """Who most likely has the lock: tasks further down in the function that takes it."""
    waiter = taker_of(first.wait.stack)
    tasks = profile.tasks
    found = [
        (frame, one)
        for one in (tasks.rows if tasks else ())
        for frame in one.stack
        if one is not first.wait
        and (frame.file, frame.function) == (waiter.file, waiter.function)
        and (frame.line or 0) > (waiter.line or 0)
    ]
    if not found:
        return ()
    # What comes after the lock was given back is further down still, and others may be there.
    frame, row = min(found, key=lambda one: (not one[1].tasks, one[0].line or 0))
    told = ToldLine(
        f"{frame.place} {short_name(frame)}: awaited by the task that most likely has it"
    )
    in_thread = any(one.wait is row for one in tasks_of_threads(profile))
    return told, *(_jobs(profile) if in_thread else ())


def _jobs(profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """Where threads of executors wait longest in what the program has given them to do."""
    lines = [one for one in profile.process.lines if pool_of(one.stack) and has_own(one.stack)]
    return waiting_lines(lines, profile.process)[:1]


_ADVICE = {
    Purpose.POOL: "All connections are taken. Give each one back (async with; close streamed "
    "responses): a path that keeps one for good empties the pool. Hold none while waiting for "
    "another one: that is a deadlock under load. If each is used briefly, raise the limit "
    "(max_size, limit_per_host, max_connections); give the wait a timeout. `iotrace tasks PID` "
    "shows each task that waits.",
    Purpose.LOCK: "One task at a time has it, all others wait in line. Do not await anything slow "
    "(a call of another service, a send to a client) inside of it: copy what is needed and await "
    "outside, have a lock for each key, or raise the semaphore's number. `iotrace tasks PID` shows "
    "each task that waits.",
    Purpose.ROOM: "Whoever takes from the queue is slower than those who put, or has stopped: look "
    "at what the consumers wait for, have more of them, or drop what is too much (put_nowait).",
    Purpose.RESULT: "All threads that AnyIO may have are busy (40, total_tokens): look at what "
    "they wait for, give slow work a limiter or an executor of its own, and its calls timeouts.",
}

QUEUED = Rule(
    "IO160",
    "asyncio tasks queue for a connection, a lock, room or a thread",
    "Look at who has what they wait for.",
    _queued,
    explains={
        "IO105": always,
        "IO119": covers,
        "IO142": covers,
        "IO147": always,
        "IO165": always,
        "IO185": always,
    },
    rank=Rank.STUCK,
    least=Detail.FULL,
)

# SPDX-License-Identifier: Apache-2.0
"""Where asyncio tasks of slow requests are suspended.

By Little's law as many requests are under way at a time as the sum of their durations is longer
than the trace: a place where as many tasks are suspended is where their time goes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from iotrace.report.requests import RequestTier
from iotrace.report.task_waits import TaskWait
from iotrace.verdict.frames import has_own, library_frames, named
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, serves
from iotrace.verdict.slow_limits import SLOW_NS
from iotrace.verdict.waiting_tasks import WaitingTasks, mean_of, purpose_of_task

LEAST_COUNT = 3
"""Slow requests; fewer may have been the first, which import and connect."""
LEAST_SHARE = 0.5
"""Of the time of the slow requests, spent at one place."""
LEAST_SEEN = 3
"""Tasks found at a place, over all looks (of one look: LEAST_AT_ONE_LOOK)."""
LEAST_AT_ONE_LOOK = 2
LEAST_UNNAMED = 1.5
"""Tasks at a time, where no framework's code tells which tasks serve: one alone may be a timer."""


class Wait(Enum):
    """What a task of a request waits for."""

    SLEEP = "sleep"
    CHILD = "child"
    THREAD = "thread"
    TASKS = "tasks"
    """Other tasks of its own."""
    NEWS = "news"
    """An event, a message: whoever waits for such may mean to."""
    FUTURE = "future"
    KNOWN = "known"
    """See ``Purpose``."""


_SLEEPS = re.compile(r"/(?:asyncio/tasks|tornado/gen)\.py:sleep$|/anyio/\S+:sleep(?:_until)?$")
_CHILDREN = re.compile(
    r"/asyncio/(?:base_)?subprocess\.py:|/tornado/process\.py:|/anyio/_core/_subprocesses\.py:"
)
_THREADS = re.compile(
    r"/asyncio/threads\.py:to_thread$|/anyio/\S+:run_sync(?:_in_worker_thread)?$"
    r"|/asgiref/sync\.py:__call__$"
)
_NEWS = re.compile(
    r"/asyncio/(?:locks|queues|streams|sslproto)\.py:|/anyio/\S+:(?:wait|receive\w*|get)$"
    r"|:_?(?:asgi_)?(?:recv|receive)\w*$|/tornado/(?:queues|locks|iostream|websocket)\.py:"
)
_OF_TASKS = re.compile(
    r"/asyncio/(?:tasks\.py:(?:gather|wait|_wait|wait_for)|taskgroups\.py:\w+)$"
    r"|/anyio/\S+:__aexit__$"
)
_MIDDLEWARE = re.compile(r"/starlette/middleware/base\.py:")
"""What it calls runs in a task of its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where tasks of requests are suspended. ``serves``: a framework's code says that they serve;
    else nothing tells which tasks do."""

    wait: Wait
    purpose: Purpose
    serves: bool
    tasks: tuple[WaitingTasks, ...]

    @property
    def mean(self) -> float:
        return mean_of(self.tasks)

    @property
    def first(self) -> WaitingTasks:
        return max(self.tasks, key=lambda one: one.wait.mean)


def places_of(profile: ProcessProfile) -> list[Place]:
    """Where tasks of requests are suspended, most tasks first; what they wait for themselves
    before what they wait for in other tasks of their own."""
    tasks = profile.tasks
    rows = [row for row in (tasks.rows if tasks else ()) if row.stack]
    served = [row for row in rows if serves(row.stack)]
    unnamed = [row for row in rows if not served and has_own(row.stack)]
    groups: dict[tuple[str, Wait, Purpose], list[WaitingTasks]] = {}
    for row in served or unnamed:
        purpose = purpose_of_task(row.stack)
        one = WaitingTasks(row, purpose)
        groups.setdefault((one.place, wait_of(row, purpose), purpose), []).append(one)
    found = [
        Place(wait, purpose, bool(served), tuple(group))
        for (_, wait, purpose), group in groups.items()
    ]
    return sorted(found, key=lambda one: (one.wait is Wait.TASKS, -one.mean))


def wait_of(row: TaskWait, purpose: Purpose) -> Wait:
    """By the library's functions between the program's own code and what is awaited."""
    library = library_frames(row.stack)
    names = [named(frame) for frame in library]
    if any(map(_CHILDREN.search, names)):
        return Wait.CHILD
    if purpose is not Purpose.OTHER:
        return Wait.KNOWN
    of_tasks = any(map(_OF_TASKS.search, names[:1])) or any(map(_MIDDLEWARE.search, names))
    if of_tasks or row.awaits.endswith(("Task", "_GatheringFuture")):
        return Wait.TASKS
    if names and _SLEEPS.search(names[0]):
        return Wait.SLEEP
    if any(map(_THREADS.search, names)):
        return Wait.THREAD
    return Wait.NEWS if any(map(_NEWS.search, names)) else Wait.FUTURE


def slow_place(profile: ProcessProfile, least_ns: int = SLOW_NS) -> tuple[Place, float] | None:
    """The place that takes most of the time of requests that take so long or longer, and its share
    of that; one where they wait for news only if there is no other."""
    tasks = profile.tasks
    slow, others = tiers_of(profile, least_ns)
    if tasks is None or sum(one.count for one in slow) < LEAST_COUNT:
        return None
    slow_at_a_time, others_at_a_time = _under_way(slow, profile), _under_way(others, profile)
    found = []
    for place in places_of(profile):
        enough = place.mean * tasks.looks >= (LEAST_SEEN if tasks.looks > 1 else LEAST_AT_ONE_LOOK)
        if not place.serves and (place.wait is Wait.NEWS or place.mean < LEAST_UNNAMED):
            continue
        of_them = (place.mean - others_at_a_time) / slow_at_a_time
        if enough and of_them >= LEAST_SHARE:
            found.append((place, min(1.0, of_them)))
    return min(found, key=lambda one: one[0].wait is Wait.NEWS, default=None)


def tiers_of(profile: ProcessProfile, least_ns: int) -> tuple[list[RequestTier], list[RequestTier]]:
    """(requests that take so long or longer, others)."""
    tiers = [tier for row in profile.process.requests for tier in row.tiers if tier.count]
    slow = [one for one in tiers if one.latency_ns >= least_ns * one.count]
    return slow, [one for one in tiers if one not in slow]


def _under_way(tiers: Sequence[RequestTier], profile: ProcessProfile) -> float:
    """Requests at a time, on the average."""
    return sum(one.latency_ns for one in tiers) / profile.wall_ns

# SPDX-License-Identifier: Apache-2.0
"""Requests that are slow, or hang, because their asyncio tasks wait for the program itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.report.detail import Detail
from iotrace.verdict.child_names import child_names
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.frames import has_own, library_frames, named
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, serves
from iotrace.verdict.rules.rule import Hit, Rule, always
from iotrace.verdict.rules.task_queues import is_queue
from iotrace.verdict.slow_limits import LATE_NS, SLOW_NS
from iotrace.verdict.slow_places import (
    Place,
    Wait,
    places_of,
    slow_place,
    tiers_of,
)
from iotrace.verdict.stuck import LEAST_NS, WHOLE_SHARE
from iotrace.verdict.stuck_advice import INHERITED
from iotrace.verdict.thread_activity import Activity
from iotrace.verdict.told_lines import ToldLine
from iotrace.verdict.waiting_tasks import (
    WaitingTasks,
    function_text,
    longest_of,
    owed,
    purpose_of_task,
    task_lines,
    waiting_tasks,
)

LEAST_LOOKS = 3
_OWN = (Wait.SLEEP, Wait.CHILD, Wait.FUTURE, Wait.TASKS)
"""What no thread shows, and no other service."""
_READS_OUTPUT = re.compile(r"/asyncio/subprocess\.py:(?:communicate|_read_stream)$")
MOST_NAMED = 3
WORKS_SHARE = 0.5
"""Of the time of a thread, on a CPU or ready: it is what the tasks' futures wait for."""


def _waiting(profile: ProcessProfile) -> Iterator[Hit]:
    # A loop in which all hang has made no iteration that would tell of it.
    for least_ns in (SLOW_NS, LATE_NS) if profile.loop_threads() else ():
        slow = slow_place(profile, least_ns)
        if slow is None:
            continue
        helper = _helper(slow[0], profile)
        plain = helper is not None or slow[0].wait in _OWN
        if (plain or least_ns == SLOW_NS) and not _is_told_elsewhere(slow[0], profile):
            yield _hit(*slow, least_ns, helper, profile)
        return
    else:
        yield from (_hanging_hit(one, profile) for one in _hanging(profile))


def _is_told_elsewhere(place: Place, profile: ProcessProfile) -> bool:
    """Long polls, which nobody is to blame for; and what IO160 says."""
    if place.wait is Wait.NEWS:
        return True  # the outcome says so
    queues = (Purpose.POOL, Purpose.LOCK, Purpose.ROOM, Purpose.RESULT)
    return place.purpose in queues and is_queue(place.tasks, profile.tasks)


def _hanging(profile: ProcessProfile) -> list[Place]:
    """Where requests, or those who take from a queue that is full, have been at all looks: for a
    child that does not end, or a future that the program's own code has made and awaits, and that
    nobody sets."""
    tasks = profile.tasks
    if tasks is None or tasks.looks < LEAST_LOOKS:
        return []
    long_ns = max(LEAST_NS, int(WHOLE_SHARE * 0.95 * tasks.watched_ns))
    needed = any(
        one.purpose is Purpose.ROOM and one.wait.longest_ns >= long_ns
        for one in waiting_tasks(profile)
    )
    return [
        one
        for one in places_of(profile)
        if (one.serves or needed)
        and longest_of(one.tasks) >= long_ns
        and (
            one.wait is Wait.CHILD
            or (one.wait is Wait.FUTURE and not library_frames(one.first.wait.stack))
        )
    ]


def _hit(
    place: Place,
    of_them: float,
    least_ns: int,
    helper: _Helper | None,
    profile: ProcessProfile,
) -> Hit:
    tiers, _ = tiers_of(profile, least_ns)
    rows = profile.process.requests
    count = sum(one.count for one in tiers)
    mean_ns = sum(one.latency_ns for one in tiers) // count
    evidence: dict[str, float | int | str] = {
        "slow_requests": count,
        "requests": sum(row.exchanges for row in rows),
        "mean_latency_ns": mean_ns,
        "of_their_time_ratio": round(of_them, 3),
        "tasks_waiting_mean": round(place.mean, 1),
        "awaited_in": function_text(place.first.wait.stack),
        **owed(profile),
    }
    if helper is not None:
        evidence["at_work"] = helper.text
    return Hit(
        evidence,
        min(profile.wall_ns, sum(one.latency_ns for one in tiers)),
        lines=_lines(place, helper, profile),
        title=f"Slow requests {_text(place, helper, profile)}: {count:,} of "
        f"{evidence['requests']:,} took {duration(mean_ns)} on average, {share(of_them, 1)} of it "
        f"there",
        advice=_ADVICE[place.wait],
    )


def _hanging_hit(place: Place, profile: ProcessProfile) -> Hit:
    count, longest = max(1, round(place.mean)), longest_of(place.tasks)
    kept = _kept_open_by(place, profile)
    nobody = "that nobody has set" if place.wait is Wait.FUTURE else "that has not ended"
    nobody = ", which has not come" if kept else f" {nobody}"
    who = "Requests hang" if place.serves else "What takes from a full queue hangs, most likely"
    return Hit(
        {
            "tasks_waiting": count,
            "longest_ns": longest,
            **({"pipe_is_open_in": ", ".join(kept)} if kept else {}),
            **owed(profile),
        },
        min(profile.wall_ns, longest),
        severity="high" if kept else "medium",
        lines=task_lines(place.tasks),
        title=f"{who}: {plural(count, 'asyncio task')} {_text(place, None, profile)}"
        f"{nobody} in {duration(longest)} and more"
        + (_KEPT.format(", ".join(kept[:MOST_NAMED])) if kept else ""),
        advice=INHERITED if kept else _ADVICE[place.wait],
    )


_KEPT = (
    ": no child of it has that pipe any more, but it is still open in process {}, which has "
    "inherited it"
)


def _kept_open_by(place: Place, profile: ProcessProfile) -> tuple[str, ...]:
    """Who has inherited the output that the task reads to its end: the child itself has ended."""
    reads = any(_READS_OUTPUT.search(named(frame)) for frame in place.first.wait.stack)
    return profile.tasks.inherited_by if profile.tasks and reads else ()


def _text(place: Place, helper: _Helper | None, profile: ProcessProfile) -> str:
    at = f"at {place.first.place}"
    via = function_text(place.first.wait.stack)
    own = not library_frames(place.first.wait.stack)
    if place.wait is Wait.CHILD:
        kept = _kept_open_by(place, profile)
        if kept:
            return f"wait for the end of a child's output {at}"
        return f"wait for a child process{child_names(profile)} {at}"
    if place.wait is Wait.SLEEP:
        library = library_frames(place.first.wait.stack)
        return f"sleep: asyncio.sleep {at}" + (f", in {via}" if len(library) > 1 else "")
    if place.wait is Wait.TASKS:
        inner = _inner(profile)
        where = f", which wait at {inner[0].place}" if inner else ""
        return f"wait for other asyncio tasks {at}{where}"
    if place.wait is Wait.KNOWN:
        return f"wait in {via} {at}"
    what = "a worker thread" if place.wait is Wait.THREAD else "a future"
    through = "" if own else f" in {via}"
    if helper is None:
        return f"wait for {what} {at}{through}"
    for_what = "" if place.wait is Wait.THREAD else f"{what} that waits its turn for "
    always = "which is always" if helper.alone else "which are always"
    return f"wait for {for_what}{helper.text}, {always} at work, {at}{through}"


@dataclass(frozen=True, slots=True)
class _Helper:
    """Who is at work most of the time. ``text``: "thread 702", "2 child processes"."""

    text: str
    alone: bool
    lines: tuple[ToldLine, ...]


def _helper(place: Place, profile: ProcessProfile) -> _Helper | None:
    """The threads beside the loop's that are at work, if any; else the children."""
    if place.wait not in (Wait.FUTURE, Wait.THREAD):
        return None
    loops = profile.loop_threads()
    tids = [tid for tid, one in profile.threads.items() if tid not in loops and _works(one)]
    if tids:
        text = f"thread {tids[0]}" if len(tids) == 1 else f"{len(tids)} threads"
        alone = tids[0] if len(tids) == 1 else None
        return _Helper(text, len(tids) == 1, busy_lines(profile.process, alone))
    children = [one for one in profile.children if _works(one.total)]
    if not children:
        return None
    busiest = max(children, key=lambda one: one.total.cpu_ns)
    text = plural(len(children), "child process")
    return _Helper(text, len(children) == 1, busy_lines(busiest.process))


def _works(one: Activity) -> bool:
    return one.cpu_ns + one.runq_ns >= WORKS_SHARE * one.lifetime_ns > 0


def _lines(place: Place, helper: _Helper | None, profile: ProcessProfile) -> tuple[ToldLine, ...]:
    lines = task_lines(place.tasks)
    if helper is not None:
        return (*lines[:1], *helper.lines[:2])
    return lines if place.wait is not Wait.TASKS else (*lines[:1], *task_lines(_inner(profile))[:2])


def _inner(profile: ProcessProfile) -> list[WaitingTasks]:
    """The tasks that they may wait for, most first: no server's code is part of those."""
    tasks = profile.tasks
    found = [
        WaitingTasks(row, purpose_of_task(row.stack))
        for row in (tasks.rows if tasks else ())
        if row.stack and not serves(row.stack) and has_own(row.stack)
    ]
    return sorted(found, key=lambda one: -one.wait.mean)


_ADVICE = {
    Wait.SLEEP: "The sleep is in the way of the answer. Wait for what is awaited itself (an event, "
    "a future, a blocking read of a queue or of Redis, a subscription) and not for a time to be "
    "over; where only asking again helps, begin with short pauses and let them grow; a retry's "
    "pauses and a rate limiter's need a limit that the client can wait for.",
    Wait.CHILD: "The program that is run takes that long. Look at what it does (its own rows and "
    "lines are below if it was traced), give it less to do, or let a job queue run it and answer "
    "at once. So many at a time as there are CPUs are enough (asyncio.Semaphore). Read its output "
    "while it runs (communicate), and give it a timeout.",
    Wait.THREAD: "The lines say what the thread does. One that computes in Python has the GIL and "
    "slows the event loop as well: use a process pool, or a job queue.",
    Wait.TASKS: "The lines below it are of the tasks that it may wait for. `iotrace tasks PID` "
    "shows which task awaits which.",
    Wait.FUTURE: "Somebody else sets that future: a worker thread (a database driver's only "
    "one does all calls in turn: open several connections), a process pool, or a task. Look at "
    "what it does meanwhile, and whether it still lives: a task that dies of an exception leaves "
    "its futures as they are (keep a reference to it, catch what it raises, set_exception), and "
    "give the wait a timeout (asyncio.timeout).",
    Wait.KNOWN: "The line says what is awaited. `iotrace tasks PID` shows each task that waits.",
}


SLOW_TASKS = Rule(
    "IO185",
    "Slow requests wait in asyncio tasks",
    "The event loop is free: look at the line, and at what it waits for there.",
    _waiting,
    explains={"IO105": always, "IO119": always},
    least=Detail.FULL,
)

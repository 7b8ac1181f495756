# SPDX-License-Identifier: Apache-2.0
"""Waits for what another thread or process of the program is to give: results, events, messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from iotrace.report.model import Process
from iotrace.report.stacks import Frame
from iotrace.verdict.frames import (
    in_library,
    library_frames,
    named,
    of_loop,
    short_name,
    since_fork,
)
from iotrace.verdict.lost_results import pool_has_ended, reader_has_ended, workers_that_die
from iotrace.verdict.number_formats import figure, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, joins_queue
from iotrace.verdict.stuck import LEAST_NS, Stuck, in_calls
from iotrace.vocabulary.calls import LOCKS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS

_VIEWS = re.compile(
    r"/(?:flask\w*|django|rest_framework|bottle|falcon|pyramid|cherrypy)(?:/\S+|\.py):(?!__next__)"
)
_EXECUTORS_RESULT = re.compile(
    r"/concurrent/futures/_base\.py:(?:result|exception|result_iterator|wait|as_completed)$"
)
_EXECUTORS_WORKER = re.compile(r"/concurrent/futures/thread\.py:_worker$")
_POOL = ("/multiprocessing/pool.py", "/multiprocess/pool.py")


def handover_text(one: Stuck) -> str:
    what = awaited_text(one)
    if in_loop(one):
        return f"in its event loop's own thread, waiting for {what}: the loop stands still"
    return f"in a request, waiting for {what}: no other thread does what it waits for"


def awaited_text(one: Stuck) -> str:
    """What is waited for, by the library's function that the program has called."""
    library = library_frames(one.call.stack)
    name = library[-1].function if library else "a lock"
    return f"{name} ({'/'.join(library[-1].file.rsplit('/', 2)[-1:])})" if library else name


def result_text(one: Stuck, profile: ProcessProfile) -> str:
    if in_loop(one):
        return (
            "waiting for a result in its event loop's own thread: the loop stands still, and if "
            "the result is to come from a coroutine of it, that is a deadlock"
        )
    left = left_behind(one, profile)
    if left:
        return (
            f"waiting for a result of an executor that has no thread in this process: it was "
            f"forked (preload?) from process {left[0].pid}, where {plural(left[1], 'thread')} of "
            "an executor wait for work; a fork takes no threads along"
        )
    dying = workers_that_die(one, profile)
    if dying:
        return (
            "waiting for a result of its process pool, whose workers end as soon as they have "
            f"started, without a result, and are replaced: {dying:,} times, "
            f"{figure(profile.per_second(dying))} a second"
        )
    if joins_queue(one.call.stack):
        return (
            "waiting until all that was put into a queue is done (join), and no thread works at it "
            "any more"
        )
    if reader_has_ended(one, profile):
        return (
            "waiting for a result of its process pool, whose thread that takes results "
            "(Pool._handle_results) has ended: most likely a result, or the exception of a task, "
            "could not be unpickled there"
        )
    if pool_has_ended(one, profile):
        return (
            "waiting for a result of a process pool that was terminated"
            f"{'' if profile.parent else ' (or is in the process that this one was forked from)'}: "
            "none of its threads and no worker process is left to give it"
        )
    idle = idle_workers(one, profile)
    if not idle:
        return "waiting for a result that another thread or process does not give"
    return (
        f"waiting for a result of its process pool, while {'its worker is' if idle == 1 else ''}"
        f"{'' if idle == 1 else f'all {idle} workers are'} idle: the task was lost, most likely "
        "with a worker that was killed or has ended itself"
    )


STANDS_STILL = "its event loop serves nothing else meanwhile"


def in_loop(one: Stuck) -> bool:
    """What an event loop has called waits in its thread: the loop stands still."""
    return called_by_loop(one.call.stack)


def called_by_loop(stack: Sequence[Frame]) -> bool:
    """Whether an asyncio loop has called the program's own code there."""
    for place, frame in enumerate(since_fork(stack)):
        if of_loop(frame):
            return not all(map(in_library, stack[:place]))
    return False


def waits_in_request(one: Stuck) -> bool:
    """For an event, a condition or something to come in a queue, where no worker does: in an event
    loop's thread, or without a time-out in a framework's view, whose answer somebody waits for."""
    if one.purpose is not Purpose.WORK or one.call.syscall not in LOCKS or not one.own:
        return False
    if one.call.kind in INTERPRETER_KINDS:
        return False
    return in_loop(one) or (one.call.timed is False and in_view(one.call.stack))


def in_view(stack: Sequence[Frame]) -> bool:
    """Whether a framework has called the program's own code for an answer. What servers call
    themselves may be the iterator of an answer that comes bit by bit, for as long as it likes."""
    caller = next(
        (outer for inner, outer in pairwise(stack) if in_library(outer) and not in_library(inner)),
        None,
    )
    return caller is not None and bool(_VIEWS.search(named(caller)))


def left_behind(one: Stuck, profile: ProcessProfile) -> tuple[Process, int] | None:
    """The process that it was forked from, and how many threads of executors idle there."""
    parent = profile.parent
    if parent is None or parent.process.name != profile.process.name:
        return None
    if not any(map(_EXECUTORS_RESULT.search, map(named, one.call.stack))):
        return None
    idle = [
        other
        for other in in_calls(parent)
        if other.held_ns >= LEAST_NS
        and other.purpose is Purpose.WORK
        and any(map(_EXECUTORS_WORKER.search, map(named, other.call.stack)))
    ]
    return (parent.process, len(idle)) if idle else None


def idle_workers(one: Stuck, profile: ProcessProfile) -> int:
    """How many workers a pool of processes has, where all of them wait for work; else 0."""
    if not any(frame.file.endswith(_POOL) for frame in library_frames(one.call.stack)):
        return 0
    workers = [
        [call for call in in_calls(child) if any(f.file.endswith(_POOL) for f in call.call.stack)]
        for child in profile.children
    ]
    idle = all(calls and all(map(_is_idle, calls)) for calls in workers)
    return len(workers) if idle else 0


def _is_idle(one: Stuck) -> bool:
    """In the pool's own code at its end: no task is on the stack."""
    return one.held_ns >= LEAST_NS and any(
        frame.file.endswith(_POOL) and short_name(frame) == "worker"
        for frame in library_frames(one.call.stack)
    )


IN_LOOP = (
    "In the loop's thread nothing may wait for a thread: await the coroutine, or "
    "asyncio.wrap_future(future), asyncio.Queue or asyncio.Event; asyncio.to_thread(queue.get) for "
    "what comes from threads. A function that is called from threads and from coroutines "
    "needs two forms; run_coroutine_threadsafe(...).result() is for other threads only."
)
FORKED = (
    "Make executors (and clients, exporters, schedulers: all that start threads) in each worker "
    "after the fork: gunicorn's post_fork hook or no --preload, uWSGI's postfork or lazy-apps, "
    "celery's worker_process_init, os.register_at_fork; or make them at the first use."
)

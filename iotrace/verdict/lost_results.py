# SPDX-License-Identifier: Apache-2.0
"""Results of a process pool that do not come: its workers end before they give one, the thread that
takes results has ended, or all of the pool has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iotrace.report.rows import Thread
from iotrace.verdict.classify.process_tree import forks, is_short_lived
from iotrace.verdict.frames import library_frames, short_name
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.stuck import Stuck, in_calls

_POOL = ("/multiprocessing/pool.py", "/multiprocess/pool.py")
_HANDS_OUT = "_handle_tasks"
_TAKES_RESULTS = "_handle_results"
_OF_POOL = frozenset((_HANDS_OUT, _TAKES_RESULTS, "_handle_workers", "worker"))
"""Of a pool's threads, and of its worker processes."""
MOST_LOST = 3
"""Workers that may end before their first task: with more they are replaced again and again,"""
DYING_PER_SECOND = 0.5
"""where it goes on like that,"""
NEARLY_AS_LONG = 0.5
"""and no result has been read in this part of the time that one is waited for."""


def workers_that_die(one: Stuck, profile: ProcessProfile) -> int:
    """How many workers of a process pool ended while no result came of any; 0 where they are not
    replaced all the time."""
    if one.purpose is not Purpose.RESULT or not _is_of_process_pool(one):
        return 0
    brief = [child for child in profile.children if forks([child]) and is_short_lived(child)]
    if not any(_awaits_results(other, one) for other in in_calls(profile)):
        return 0
    ended = sum(child.process.count for child in brief)
    return ended if ended >= MOST_LOST and profile.per_second(ended) >= DYING_PER_SECOND else 0


def reader_has_ended(one: Stuck, profile: ProcessProfile) -> bool:
    """The pool hands out tasks, and its thread that takes their results is no longer there: an
    exception has ended it."""
    threads = _threads_of_pool(one, profile)
    return threads is not None and _HANDS_OUT in threads and _TAKES_RESULTS not in threads


def pool_has_ended(one: Stuck, profile: ProcessProfile) -> bool:
    """None of the pool's threads is there any more, and no worker: it was terminated. In a process
    that was forked from the pool's they have never been."""
    if profile.parent is not None and _TAKES_RESULTS in _pool_functions(profile.parent):
        return False
    threads = _threads_of_pool(one, profile)
    return threads is not None and not threads


def _threads_of_pool(one: Stuck, profile: ProcessProfile) -> frozenset[str] | None:
    """What the threads of pools do, and their worker processes; None: it waits for no pool, or not
    of each thread and child it is known where it is."""
    if one.purpose is not Purpose.RESULT or not _is_of_process_pool(one):
        return None
    processes = [profile, *(child for child in profile.children if _lives(child))]
    threads = [row for row in _threads(processes) if row.ended_ns is None and row.tid]
    if any(row.in_call is None or not row.in_call.stack for row in threads):
        return None
    return frozenset().union(*map(_pool_functions, processes))


def _threads(processes: Iterable[ProcessProfile]) -> Iterator[Thread]:
    return (row for one in processes for row in one.process.threads)


def _lives(child: ProcessProfile) -> bool:
    return bool(child.process.pid) and child.process.ended_ns is None


def _pool_functions(profile: ProcessProfile) -> frozenset[str]:
    return frozenset(
        short_name(frame)
        for one in in_calls(profile)
        for frame in one.call.stack
        if frame.file.endswith(_POOL) and short_name(frame) in _OF_POOL
    )


def _awaits_results(other: Stuck, one: Stuck) -> bool:
    """It is the pool's thread that reads results, and has been at it for as long as the other."""
    return other.held_ns >= NEARLY_AS_LONG * one.held_ns and any(
        frame.file.endswith(_POOL) and short_name(frame) == _TAKES_RESULTS
        for frame in other.call.stack
    )


def _is_of_process_pool(one: Stuck) -> bool:
    return any(frame.file.endswith(_POOL) for frame in library_frames(one.call.stack))


READER_ENDED = (
    "See the traceback in stderr: what a worker sent could not be unpickled, most often an "
    "exception whose __init__ wants other arguments than those it hands to Exception.__init__ "
    "(self.args); give it a __reduce__, or return what went wrong in place of raising. "
    "multiprocessing.Pool does not start that thread again; concurrent.futures."
    "ProcessPoolExecutor raises BrokenProcessPool to all who wait."
)
POOL_ENDED = (
    "terminate() (also that of `with Pool()`) throws away what has no result yet, and get() does "
    "not hear of it. Do not call it from a signal handler or another thread while somebody waits: "
    "set a flag or raise an exception there, let the waiting thread end the pool; or wait with "
    "get(timeout=...) in a loop that looks at the flag. concurrent.futures: shutdown(cancel_futures"
    "=True) cancels what is waited for."
)

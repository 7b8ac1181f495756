# SPDX-License-Identifier: Apache-2.0
"""Queues of multiprocessing whose lock for reading nobody has any more.

Who takes from such a queue has the queue's lock while it waits for an item, and all others wait for
that lock, a semaphore, which knows no owner: in a process that is killed meanwhile it is gone. An
idle pool looks much the same, but one of its processes waits at the pipe, and nothing lies in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.report.stacks import Frame
from iotrace.report.surroundings import UnreadPipe
from iotrace.verdict.frames import named, since_fork
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.stuck import WHOLE_SHARE, Stuck, in_calls
from iotrace.vocabulary.calls import FAMILIES, LOCKS, READS

_ASKS = READS | FAMILIES.keys()
LEAST_WAITING = 2
"""Processes that wait for the lock: one alone may wait for somebody who is not traced."""
_TAKES_LOCK = re.compile(r"/multiprocess(?:ing)?/synchronize\.py:(?:__enter__|acquire)$")
_GETS = re.compile(r"/multiprocess(?:ing)?/queues\.py:get$")


@dataclass(frozen=True, slots=True)
class LostQueueLock:
    """``waiting``: a thread of each child that waits for the lock all along; ``pipe``: in which the
    items lie that nobody takes."""

    waiting: tuple[Stuck, ...]
    pipe: UnreadPipe


def lost_queue_lock(profile: ProcessProfile) -> LostQueueLock | None:
    """That of a queue from which the children of this process take."""
    children = [one for one in profile.children if _lives(one)]
    by_lock: dict[str, list[tuple[ProcessProfile, Stuck]]] = {}
    for child in children:
        for one in in_calls(child):
            if _waits_for_queue(one) and one.held_ns >= WHOLE_SHARE * child.wall_ns:
                by_lock.setdefault(one.call.object, []).append((child, one))
    for waiters in by_lock.values():
        if len({child.process.pid for child, _ in waiters}) < LEAST_WAITING:
            continue
        pipe = _unread(waiters[0][0], children)
        if pipe is not None and not _is_held(waiters[0][1], [profile, *children]):
            return LostQueueLock(tuple(one for _, one in waiters), pipe)
    return None


def _lives(one: ProcessProfile) -> bool:
    return bool(one.process.pid) and one.process.ended_ns is None


def _waits_for_queue(one: Stuck) -> bool:
    names = [named(frame) for frame in one.call.stack[:2]]
    return (
        one.call.syscall in LOCKS
        and one.call.timed is False
        and bool(one.call.object)
        and len(names) == 2
        and bool(_TAKES_LOCK.search(names[0]) and _GETS.search(names[1]))
    )


def _unread(waiter: ProcessProfile, children: Sequence[ProcessProfile]) -> UnreadPipe | None:
    """A pipe that it could read and in which data lies: nobody has read it in all the time, each of
    those that could is known, and none of them waits at it."""
    known = {one.process.pid: one for one in children}
    for pipe in waiter.process.unread_pipes:
        readers = [known.get(pid) for pid in (waiter.process.pid, *pipe.others)]
        if all(one is not None and _leaves(one, pipe.pipe) for one in readers):
            return pipe
    return None


def _leaves(one: ProcessProfile, pipe: str) -> bool:
    mine = [each for each in one.process.unread_pipes if each.pipe == pipe]
    at_it = any(row.in_call.peer == pipe for row in one.process.threads if row.in_call)
    return bool(mine) and all(each.reads == 0 for each in mine) and not at_it


def _is_held(waiter: Stuck, family: Sequence[ProcessProfile]) -> bool:
    """Whether a thread may have the lock: it waits for an item in get(), where the waiter's own
    function has called that, or it is not known where it reads."""
    way = _way(waiter.call.stack)
    for profile in family:
        for one in in_calls(profile):
            if one.call.syscall not in _ASKS:
                continue
            if not one.call.stack or _way(one.call.stack) == way != ():
                return True
    return False


def _way(stack: Sequence[Frame]) -> tuple[tuple[str, str], ...]:
    """The functions from get() outward, as far as the process itself has called them."""
    own = since_fork(stack)
    places = [place for place, one in enumerate(own) if _GETS.search(named(one))]
    return tuple((one.file, one.function) for one in own[places[0] :]) if places else ()

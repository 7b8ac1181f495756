# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for a lock which is not released."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iotrace.report.detail import Detail
from iotrace.verdict.call_texts import call_text
from iotrace.verdict.frames import imports, library_frames, short_name, since_fork
from iotrace.verdict.greenlets import REAL_LOCK, in_greenlet
from iotrace.verdict.lock_waiters import (
    are_alone,
    asleep_alone,
    changes_hands,
    holder_of,
    is_deep,
    matters,
    none_computes,
    takes_back,
    with_others,
)
from iotrace.verdict.lost_queue_locks import LostQueueLock, lost_queue_lock
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always
from iotrace.verdict.stuck import (
    Stuck,
    began_text,
    group_held_text,
    held_text,
    in_calls,
    place_text,
    stuck_lines,
    stuck_threads,
    takes_again,
    target_text,
)
from iotrace.verdict.told_lines import frame_text

_Chained = tuple[list[Stuck], Stuck]
"""Those who wait for a lock, and its holder, which waits for a lock as well."""


def _waiting(profile: ProcessProfile) -> Iterator[Hit]:
    lost = lost_queue_lock(profile)
    if lost is not None:
        yield _of_queue(lost)
    by_lock: dict[str, list[Stuck]] = {}
    stuck = [one for one in stuck_threads(profile) or asleep_alone(profile) if one.call.stack]
    everybody = in_calls(profile)
    taken = {one.call.object for one in stuck if one.purpose is Purpose.LOCK} - {""}
    if not none_computes(everybody, profile):
        taken = set()  # it may have the lock
    for one in stuck:
        if one.purpose is Purpose.LOCK or (one.call.object in taken and takes_back(one)):
            by_lock.setdefault(one.call.object or place_text(one), []).append(one)
    groups = list(by_lock.values())
    circle = [one for group in groups for one in group if is_deep(one)] if len(groups) > 1 else []
    chained: list[_Chained] = []
    moving: list[list[Stuck]] = []
    unheld: list[list[Stuck]] = []
    for group in groups:
        holder = holder_of(group, everybody)
        if holder is None:
            unheld.append(group)
        elif holder.purpose is Purpose.LOCK and holder in circle:
            chained.append((group, holder))
        else:
            moving.append(group)
            if not changes_hands(group, holder, profile):  # else IO144 tells what is done with it
                yield _hit(with_others(group, everybody), holder, profile)
    told = [one for one in chained if not _moves_on(one[1], chained, moving)]
    for group, holder in chained:
        if (group, holder) not in told:
            yield _hit(with_others(group, everybody), holder, profile)
    holders = [holder for _, holder in told]
    behind = [group for group in unheld if any(one in holders for one in group)]
    if told:
        yield _deadlocked([group for group, _ in told], behind, profile)
    left = [group for group in unheld if group not in behind]
    deep = [group for group in left if any(map(is_deep, group)) and matters(group)]
    if len(deep) > 1 and not told and are_alone(deep, profile):
        yield _deadlock([one for group in deep for one in group], profile, len(deep))
        left = [group for group in left if group not in deep]
    for group in left:
        if matters(group) or len(everybody) == 1:
            yield _hit(with_others(group, everybody), None, profile)


def _of_queue(lost: LostQueueLock) -> Hit:
    first = max(lost.waiting, key=lambda one: one.held_ns)
    own = [
        one
        for one in since_fork(first.call.stack)
        if not _OF_QUEUES.search(one.file) and short_name(one) != "get"
    ]
    at = f" (called at {frame_text(own[0])})" if own else ""
    pipe = lost.pipe
    return Hit(
        {
            "lock": "multiprocessing",
            "processes": len(lost.waiting),
            "waited_ns": first.held_ns,
            "unread_bytes": pipe.unread_bytes,
            "pipe": pipe.pipe,
        },
        first.held_ns,
        severity="high",
        lines=stuck_lines(lost.waiting),
        title=f"{len(lost.waiting)} processes wait for the whole trace for the lock of a "
        f"multiprocessing queue, in get() of queues.py{at}, and none of them has it: most likely "
        "a process was killed or ended while it had it, and nobody gives it back; "
        f"{plural(pipe.unread_bytes, 'byte')} of work lie unread in the queue's pipe",
        advice=_SHARED,
    )


_OF_QUEUES = re.compile(r"/multiprocess(?:ing)?/")


def _moves_on(
    holder: Stuck, chained: Sequence[_Chained], moving: Sequence[Sequence[Stuck]]
) -> bool:
    """Whether a holder waits for a lock that is released some time, or for one whose holder does:
    that is a queue, and no circle."""
    seen: set[int] = set()
    at: Stuck | None = holder
    while at is not None and at.tid not in seen:
        seen.add(at.tid)
        if any(at in group for group in moving):
            return True
        at = next((after for group, after in chained if at in group), None)
    return False


def _deadlocked(
    told: Sequence[Sequence[Stuck]], behind: Sequence[Sequence[Stuck]], profile: ProcessProfile
) -> Hit:
    """``told``: those of whose locks the holders are seen, which wait for locks themselves;
    ``behind``: groups that such holders are in, and whose own lock nobody is seen to have."""
    members = [one for group in (*told, *behind) for one in group]
    concluded = len(told) + len(behind) if behind and are_alone((*told, *behind), profile) else 0
    return _deadlock(members, profile, concluded)


def _hit(group: Sequence[Stuck], holder: Stuck | None, profile: ProcessProfile) -> Hit:
    first = max(group, key=lambda one: one.held_ns)
    evidence: dict[str, float | int | str] = {
        "threads": len(group),
        "waited_ns": first.held_ns,
        "began": began_text(first),
    }
    does = advice = ""
    lines = stuck_lines(group)
    again = [(one, frame) for one in group if (frame := takes_again(one.call.stack)) is not None]
    if holder is not None:
        call = call_text(holder.call.syscall, target_text(holder.call))
        does = f", most likely thread {holder.tid}, sleeps in {call}"
        evidence |= {
            "likely_holder": f"thread {holder.tid}",
            "holder_sleeps_in": holder.call.syscall,
        }
        lines = (*lines[:2], *stuck_lines([holder]))
    elif all(map(_is_shared, group)):
        advice = _SHARED
        does = (
            " is another process, or one that was killed or ended while it had it (a "
            "multiprocessing lock is a semaphore, which nobody else gives back)"
        )
        evidence["lock"] = "multiprocessing"
    elif again:
        one, frame = again[0]
        advice = _AGAIN
        does = (
            f" is most likely thread {one.tid}, one of them: with the lock taken it has come to "
            f"{frame.place} {frame.function}, which takes it again"
        )
        evidence["likely_holder"] = f"thread {one.tid}"
        lines = (*stuck_lines([one]), *stuck_lines([each for each in group if each != one]))[:3]
    elif any(map(takes_back, group)):
        advice = _ENDED
        does = (
            " is none of the threads that are left, as far as they were seen; most likely one has "
            "ended while it had it"
        )
    elif any(in_greenlet(one.call.stack) for one in group):
        advice = REAL_LOCK
        does = (
            " is most likely another greenlet of the same thread, which cannot run to release it "
            "while the thread waits: a deadlock"
        )
    elif len(profile.process.threads) == 1:
        advice = _FORKED
        does = (
            " is no thread of this process (it had the lock when the process was forked), or is "
            "this thread itself (a signal handler or a callback takes the lock again)"
        )
    who = "1 thread waits" if len(group) == 1 else f"{len(group)} threads wait"
    return Hit(
        evidence,
        first.held_ns,
        severity="high",
        lines=lines,
        title=f"{who} {group_held_text(group, profile)} for {_lock_text(group)}: its holder"
        + (does or " is not among the threads that were seen to work with it"),
        advice=advice,
    )


_SHARED_LOCKS = re.compile(r"/multiprocess(?:ing)?/(?:synchronize|queues)\.py$")


def _is_shared(one: Stuck) -> bool:
    """It waits for a lock of several processes."""
    return any(_SHARED_LOCKS.search(frame.file) for frame in library_frames(one.call.stack)[:1])


_SHARED = (
    "See which process had it and is gone: dmesg for the OOM killer, exit codes, terminate() and "
    "kill() in the program. Do not kill workers that may have a lock; use a lock that the kernel "
    "gives back when its owner ends (fcntl.flock on a file), or Lock.acquire(timeout=...) and give "
    "up; ProcessPoolExecutor notices a dead worker, and raises BrokenProcessPool."
)
_ENDED = (
    "A thread that ends between acquire() and release(), by an exception most often (its traceback "
    "is in stderr: threading.excepthook), keeps the lock for ever. `with lock:`, or release() in a "
    "finally clause, gives it back whatever happens; where a library does so, look for its update."
)
_AGAIN = (
    "A signal handler, a callback or __del__ (which the garbage collector calls anywhere) that "
    "takes a lock which its own thread may have waits for itself: do not log or put into a queue "
    "there, only set a flag (an Event, a wakeup fd, a queue.SimpleQueue), or have an RLock."
)
_FORKED = (
    "A child that is forked while another thread has a lock gets a copy that nobody releases. "
    "Start children with multiprocessing's spawn or forkserver (set_start_method), or fork them "
    "before the first thread starts; a library can make its lock anew with os.register_at_fork. "
) + _AGAIN


def _lock_text(group: Sequence[Stuck]) -> str:
    if all(imports(one.call.stack) for one in group):
        return "the lock of a module whose import does not end"
    return "a lock that is not released"


def _deadlock(circle: Sequence[Stuck], profile: ProcessProfile, locks: int = 0) -> Hit:
    """``locks``: so many are waited for, and their holders are concluded only from that nobody
    else is there."""
    first = max(circle, key=lambda one: one.held_ns)
    evidence: dict[str, float | int | str] = {
        "threads": len(circle),
        "waited_ns": first.held_ns,
        "began": began_text(first),
    }
    title = f"{len(circle)} threads wait for locks that they have of each other"
    if locks:
        evidence["locks"] = locks
        title = (
            f"{len(circle)} threads wait for {locks} locks, most likely each other's: no other "
            "thread is at work that could have them"
        )
    return Hit(
        evidence,
        first.held_ns,
        severity="high",
        lines=stuck_lines(circle),
        title=f"Deadlock {held_text(first, profile)}: {title}",
        advice="Take the locks in the same order everywhere, or have one lock for both; "
        "acquire(timeout=...) tells of a deadlock in place of hanging.",
    )


WAITING = Rule(
    "IO141",
    "Threads wait for a lock that is not released",
    "Do not call what can wait (a peer, a pipe, a file) while holding the lock: copy what is "
    "needed under the lock, and call after it. A lock that a thread had when it ended, or when "
    "the process forked, is never released.",
    _waiting,
    explains={"IO105": always, "IO142": always, "IO208": always},
    rank=Rank.STUCK,
    least=Detail.LIGHT,
)

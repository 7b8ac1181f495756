# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for a lock which is not released."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from iotrace.report.detail import Detail
from iotrace.verdict.call_texts import call_text
from iotrace.verdict.frames import (
    entry_of,
    imports,
    library_frames,
)
from iotrace.verdict.greenlets import REAL_LOCK, in_greenlet
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import (
    Purpose,
    handles_request,
    joins,
)
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always
from iotrace.verdict.stuck import (
    LEAST_NS,
    WHOLE_SHARE,
    Stuck,
    began_text,
    group_held_text,
    held_text,
    in_calls,
    may_hold,
    place_text,
    stuck_lines,
    stuck_threads,
    takes_again,
    taking_functions,
    target_text,
)
from iotrace.vocabulary.kinds import INTERPRETER_KINDS

NEARLY_AS_LONG = 0.5
"""Of the time that one waits for a lock: who has had it all along is in its call for so long."""


def _waiting(profile: ProcessProfile) -> Iterator[Hit]:
    by_lock: dict[str, list[Stuck]] = {}
    for one in stuck_threads(profile) or _alone(profile):
        if one.purpose is Purpose.LOCK and one.call.stack:
            by_lock.setdefault(one.call.object or place_text(one), []).append(one)
    groups = list(by_lock.values())
    circle = [one for group in groups for one in group if _deep(one)] if len(groups) > 1 else []
    everybody = in_calls(profile)
    told: list[list[Stuck]] = []
    unknown: list[list[Stuck]] = []
    for group in groups:
        holder = _holder(group, everybody)
        if holder is not None and holder.purpose is Purpose.LOCK and holder in circle:
            told.append(group)
        elif holder is None and any(map(_deep, group)) and _matters(group):
            unknown.append(group)
        elif _changes_hands(group, holder, profile):
            continue  # IO144 tells what is done with it
        elif holder is not None or _matters(group) or len(everybody) == 1:
            yield _hit(_with_others(group, everybody), holder, profile)
    if told:
        yield _deadlock([one for group in told for one in group], profile)
    if len(unknown) > 1 and not told and _are_alone(unknown, profile):
        yield _deadlock([one for group in unknown for one in group], profile, len(unknown))
    else:
        yield from (_hit(_with_others(group, everybody), None, profile) for group in unknown)


def _are_alone(groups: Sequence[Sequence[Stuck]], profile: ProcessProfile) -> bool:
    """Whether nobody else could have these locks: all other threads wait for work, as deep as
    they were started."""
    waiting = {one.tid for group in groups for one in group}
    others = {one.tid: one for one in in_calls(profile) if one.tid not in waiting}
    return all(
        row.tid in others and others[row.tid].purpose is Purpose.WORK
        for row in profile.process.threads
        if row.tid and row.ended_ns is None and row.tid not in waiting
    )


def _alone(profile: ProcessProfile) -> list[Stuck]:
    """The only thread of a process, where it has been asleep in locks all along: nobody is there
    to release them, though signals may interrupt the call, which is then made again."""
    everybody = in_calls(profile)
    if len(everybody) != 1 or len(profile.process.threads) != 1:
        return []
    seen = profile.threads[everybody[0].tid]
    if seen.wait_ns["lock"] < max(LEAST_NS, WHOLE_SHARE * seen.lifetime_ns):
        return []
    return [replace(everybody[0], held_ns=seen.wait_ns["lock"])]


def _matters(group: Sequence[Stuck]) -> bool:
    """Not the workers of a pool that wait for work, each in the function it was started for."""
    if any(one.serves or handles_request(one.call.stack) for one in group):
        return True
    return len(group) > 1 and any(map(_deep, group))


def _deep(one: Stuck) -> bool:
    entry = entry_of(one.call.stack)
    return one.place is not None and one.place != entry


def _holder(group: Sequence[Stuck], everybody: Sequence[Stuck]) -> Stuck | None:
    """Who most likely has the lock: a thread in the very function that the others wait in, or one
    that it has called, which waits for something else."""
    waiting = {one.tid for one in group}
    candidates = [
        one
        for one in everybody
        if one.tid not in waiting
        and not _waits_too(one, group)
        and (one.purpose is not Purpose.WORK or joins(one.call.stack))
        and any(may_hold(one.call.stack, other.call.stack) for other in group)
    ]
    return max(candidates, key=lambda one: one.held_ns, default=None)


def _waits_too(one: Stuck, group: Sequence[Stuck]) -> bool:
    """Whether it waits for the same lock, not for as long yet."""
    return one.purpose is Purpose.LOCK and any(
        one.call.object == other.call.object
        if one.call.object and other.call.object
        else place_text(one) == place_text(other)
        for other in group
    )


def _with_others(group: Sequence[Stuck], everybody: Sequence[Stuck]) -> list[Stuck]:
    """Also those who wait for the same lock, and not for long yet."""
    long = {one.tid for one in group}
    return [*group, *(one for one in everybody if one.tid not in long and _waits_too(one, group))]


def _changes_hands(group: Sequence[Stuck], holder: Stuck | None, profile: ProcessProfile) -> bool:
    """Whether the lock is released and taken, if not by these: others that waited at the same
    place were woken, and who has it now has not been in its call for nearly as long."""
    first = max(group, key=lambda one: one.held_ns)
    if holder is None or holder.held_ns >= NEARLY_AS_LONG * first.held_ns:
        return False
    takers = taking_functions(first.call.stack)
    return any(
        wake.kind not in INTERPRETER_KINDS and wake.stack and taking_functions(wake.stack) == takers
        for wake in profile.process.wakes
    )


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

# SPDX-License-Identifier: Apache-2.0
"""Threads and processes that wait for each other: a hang that nothing outside can end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from iotrace.verdict.family_evidence import DEADLOCKED_CHILD
from iotrace.verdict.frames import imports, in_package
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, joins
from iotrace.verdict.stack import is_pooled
from iotrace.verdict.stuck import Stuck, held_text, in_calls, may_hold, stuck_threads
from iotrace.verdict.work_in_progress import below
from iotrace.vocabulary.kinds import PIPES

_TERMINAL = "tty"
_NEARLY_AS_LONG = 0.5
"""Of the time that one has been waiting, that the other has at least."""


@dataclass(frozen=True, slots=True)
class Deadlock:
    """``others``: who waits for the one that was asked about, and is waited for by it."""

    title: str
    advice: str
    others: Sequence[Stuck]
    evidence: dict[str, float | int | str] = field(default_factory=dict)


def deadlock_of(group: Sequence[Stuck], profile: ProcessProfile) -> Deadlock | None:
    """The deadlock that threads are in which are stuck in one place, as far as it can be
    concluded."""
    one = max(group, key=lambda other: other.held_ns)
    writers = writers_to(one, profile)
    if writers:
        return _by_pipes(one, writers, profile)
    waiting = _workers_behind_its_lock(one, profile)
    if waiting:
        return _by_result(one, waiting, profile)
    if one.purpose is Purpose.RESULT and _is_whole_pool(group, profile):
        return _by_own_pool(group, one, profile)
    return None


def writers_to(one: Stuck, profile: ProcessProfile) -> list[Stuck]:
    """Threads of children, or of what these have started (a shell's programs), that write to a pipe
    which only this process could read, while it waits for the child's end or is in a call on
    another pipe."""
    if one.purpose is not Purpose.CHILD and one.call.kind not in PIPES:
        return []
    return [
        writer
        for child in below(profile)
        for writer in in_calls(child)
        if writer.purpose is Purpose.READER
        and _only_for(one, writer, profile)
        and _is_waited_for(child, writer, profile)
        and writer.held_ns >= _NEARLY_AS_LONG * one.held_ns
    ]


def _is_waited_for(child: ProcessProfile, writer: Stuck, profile: ProcessProfile) -> bool:
    """Of what a child has started: that could as well write to another program (``a | b``), or be
    none of the child's business (``a &``)."""
    pid = profile.process.pid
    if child.process.parent == pid:
        return True
    above = [one for one in below(profile) if one.process.pid == child.process.parent]
    return writer.call.others == (pid,) and any(
        one.purpose is Purpose.CHILD and one.held_ns >= _NEARLY_AS_LONG * writer.held_ns
        for each in above
        for one in in_calls(each)
    )


def _only_for(one: Stuck, writer: Stuck, profile: ProcessProfile) -> bool:
    """Whether only this process could read what the writer writes: a pipe, or the terminal that it
    has made for its child, for whose end it waits."""
    if writer.call.kind == _TERMINAL:
        return one.purpose is Purpose.CHILD and profile.process.pid in writer.call.others
    return (
        writer.call.kind in PIPES
        and profile.process.pid in writer.call.others
        and writer.call.peer != one.call.peer
    )


def _by_pipes(one: Stuck, writers: Sequence[Stuck], profile: ProcessProfile) -> Deadlock:
    does, instead = {
        Purpose.CHILD: ("waits for its child to end", ""),
        Purpose.READER: ("writes to a pipe of its child", " in place of stdin.write()"),
    }.get(one.purpose, ("reads one pipe of its child to the end", " in place of stdout.read()"))
    which = "another pipe" if one.purpose is not Purpose.CHILD else "a pipe"
    if writers[0].call.kind == _TERMINAL:
        which = f"its terminal ({writers[0].call.peer})"
    return Deadlock(
        f"Deadlock {held_text(one, profile)}: the parent {does}, the child writes to {which} "
        "that only the parent could read",
        "Read everything from the queue or pipe before joining the child: join() after get(), "
        "subprocess.communicate() in place of wait(); pexpect: expect(pexpect.EOF) before wait()."
        if one.purpose is Purpose.CHILD
        else f"Serve all pipes of the child at once: subprocess.communicate(){instead}, a thread "
        "for each pipe, or stderr=subprocess.STDOUT so that there is one.",
        writers,
        {DEADLOCKED_CHILD: f"sleeps in write to {which} that only this process can read"},
    )


def _workers_behind_its_lock(one: Stuck, profile: ProcessProfile) -> list[Stuck]:
    """Threads that wait for a lock in a function in which this one waits for their result or end:
    it most likely has the lock."""
    if one.purpose is not Purpose.RESULT and not joins(one.call.stack):
        return []
    others = [other for other in stuck_threads(profile) if other.tid != one.tid]
    waiting = [
        other
        for other in others
        if other.purpose is Purpose.LOCK
        and (_works_for_pool(other) or one.purpose is not Purpose.RESULT)
    ]
    inside = [other for other in waiting if may_hold(one.call.stack, other.call.stack)]
    if inside or any(other.purpose not in (Purpose.LOCK, Purpose.WORK) for other in others):
        return inside
    return [other for other in waiting if _works_for_pool(other)]  # nobody else could have it


def _works_for_pool(one: Stuck) -> bool:
    """A pool's worker loop has called the program's own code; no server is in between."""
    return is_pooled(one.call.stack) and not any(map(in_package, one.call.stack))


def _is_whole_pool(group: Sequence[Stuck], profile: ProcessProfile) -> bool:
    """They are workers of a pool, and no other worker of such a pool is there to do what they wait
    for."""
    tids = {one.tid for one in group}
    others = [one for one in in_calls(profile) if one.tid not in tids]
    return all(is_pooled(one.call.stack) for one in group) and not any(
        is_pooled(one.call.stack) for one in others
    )


def _by_own_pool(group: Sequence[Stuck], one: Stuck, profile: ProcessProfile) -> Deadlock:
    who = "the only thread" if len(group) == 1 else f"all {len(group)} threads"
    # Nobody else is there who could give them their results.
    outside = [
        other
        for other in stuck_threads(profile)
        if other.purpose is Purpose.RESULT and not is_pooled(other.call.stack)
    ]
    evidence: dict[str, float | int | str] = {"threads_of_the_pool": len(group)}
    if outside:
        evidence["threads_that_wait_for_the_pool"] = len(outside)
    return Deadlock(
        f"Deadlock {held_text(one, profile)}: {who} of a pool wait{'s' if len(group) == 1 else ''} "
        "for results, and no thread is left to do that work if it was given to the same pool",
        "Do not wait in a pool's thread for work of the same pool: call the function directly, "
        "have a pool of its own for the inner work, or return and go on in a callback.",
        outside,
        evidence,
    )


def _by_result(one: Stuck, waiting: Sequence[Stuck], profile: ProcessProfile) -> Deadlock:
    what = "a result" if one.purpose is Purpose.RESULT else "a thread to end"
    importing = imports(waiting[0].call.stack)
    lock = "the lock of the module that it imports" if importing else "a lock that it has"
    who = "1 thread" if len(waiting) == 1 else f"{len(waiting)} threads"
    return Deadlock(
        f"Deadlock {held_text(one, profile)}: thread {one.tid} waits for {what}, while {who} that "
        f"should give it wait{'s' if len(waiting) == 1 else ''} for {lock}",
        "Do not start threads and wait for them while a module is imported: do it in a function "
        "that is called after the import."
        if importing
        else "Do not wait for other threads while holding a lock that they take: release it "
        "first, or hand them what they need.",
        waiting,
        {"threads_behind_its_lock": len(waiting)},
    )

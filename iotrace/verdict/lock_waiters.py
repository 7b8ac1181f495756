# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for one lock, and who most likely has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from iotrace.verdict.frames import entry_of, named
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, handles_request, joins
from iotrace.verdict.stuck import (
    LEAST_NS,
    WHOLE_SHARE,
    Stuck,
    in_calls,
    may_hold,
    place_text,
    taking_functions,
)
from iotrace.vocabulary.calls import LOCKS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS

NEARLY_AS_LONG = 0.5
"""Of the time that one waits for a lock: who has had it all along is in its call for so long."""
COMPUTES_SHARE = 0.5
"""Of its time on a CPU, or waiting for one or for the GIL."""
_CONDITION = re.compile(r"/threading\.py:wait$")


def takes_back(one: Stuck) -> bool:
    """Whether it is in Condition.wait(): where another one waits for the same lock, it was notified
    or its time is over, and it takes the condition's lock again."""
    return one.call.syscall in LOCKS and _CONDITION.search(named(one.call.stack[0])) is not None


def are_alone(groups: Sequence[Sequence[Stuck]], profile: ProcessProfile) -> bool:
    """Whether nobody else could have these locks: all other threads wait for work, as deep as
    they were started."""
    waiting = {one.tid for group in groups for one in group}
    others = {one.tid: one for one in in_calls(profile) if one.tid not in waiting}
    return all(
        row.tid in others and others[row.tid].purpose is Purpose.WORK
        for row in profile.process.threads
        if row.tid and row.ended_ns is None and row.tid not in waiting
    )


def none_computes(calls: Sequence[Stuck], profile: ProcessProfile) -> bool:
    """Whether each thread that is left is in a call at the end, and was at work for little of its
    time: what computes may have a lock, and gives it back."""
    tids = {one.tid for one in calls}
    return all(
        row.tid in tids
        and profile.threads[row.tid].wants_cpu_ns < COMPUTES_SHARE * max(1, row.lifetime_ns)
        for row in profile.process.threads
        if row.tid and row.ended_ns is None
    )


def asleep_alone(profile: ProcessProfile) -> list[Stuck]:
    """The only thread of a process, where it has been asleep in locks all along: nobody is there
    to release them, though signals may interrupt the call, which is then made again."""
    everybody = in_calls(profile)
    if len(everybody) != 1 or len(profile.process.threads) != 1:
        return []
    seen = profile.threads[everybody[0].tid]
    if seen.wait_ns["lock"] < max(LEAST_NS, WHOLE_SHARE * seen.lifetime_ns):
        return []
    return [replace(everybody[0], held_ns=seen.wait_ns["lock"])]


def matters(group: Sequence[Stuck]) -> bool:
    """Not the workers of a pool that wait for work, each in the function it was started for."""
    if any(one.serves or handles_request(one.call.stack) for one in group):
        return True
    return len(group) > 1 and (any(map(is_deep, group)) or any(map(takes_back, group)))


def is_deep(one: Stuck) -> bool:
    entry = entry_of(one.call.stack)
    return one.place is not None and one.place != entry


def holder_of(group: Sequence[Stuck], everybody: Sequence[Stuck]) -> Stuck | None:
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


def with_others(group: Sequence[Stuck], everybody: Sequence[Stuck]) -> list[Stuck]:
    """Also those who wait for the same lock, and not for long yet."""
    long = {one.tid for one in group}
    return [*group, *(one for one in everybody if one.tid not in long and _waits_too(one, group))]


def changes_hands(group: Sequence[Stuck], holder: Stuck | None, profile: ProcessProfile) -> bool:
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

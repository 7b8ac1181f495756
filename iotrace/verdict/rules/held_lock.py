# SPDX-License-Identifier: Apache-2.0
"""A lock that is held while its holder sleeps or works for long: others wait in turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from iotrace.report.stacks import CpuSample, Frame, InCall, Line, Wake
from iotrace.verdict.cpu_samples import cpu_ns_of
from iotrace.verdict.frames import has_own, in_library, library_frames
from iotrace.verdict.lock_advice import library_advice
from iotrace.verdict.lock_owners import idles, samples, slow_call
from iotrace.verdict.lock_takers import (
    may_keep,
    samples_inside,
    slow_calls_inside,
    taking_frames,
)
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.pool_locks import taker_of
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, purpose_of
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.request_time import whole_of
from iotrace.verdict.rules.rule import QUEUES, Hit, Rule, always, covers
from iotrace.verdict.slow_limits import NOTICED_NS
from iotrace.verdict.stuck import taking_functions
from iotrace.verdict.told_lines import HELD_LOCK, ToldLine, frame_text, wait_at
from iotrace.vocabulary.calls import LOCKS, WRITES
from iotrace.vocabulary.kinds import INTERPRETER_KINDS, PIPES_AND_TERMINALS

LEAST_NS = 200_000_000
LEAST_SHARE = 0.1
"""Of the trace, that all threads together wait for the lock."""
SAME_SHARE = 0.5
"""Of these waits, ended by a thread that was in the very function that takes the lock."""
SEEN_SHARE = 0.2
"""The same, where samples tell as well that threads compute with the lock: of the waits that end
in a way that tells something. A waker may be long past the lock when its stack is walked."""
TOLD_SHARE = 0.05
"""Of all waits, those that tell this at least."""
IN_TURN_SHARE = 0.5
"""Of that, or of the trace: slow calls inside the function that takes the lock."""
LIKE_SHARE = 0.5
"""Of the longest wait: the longest of slow calls that explain it."""
MOST_IN_TURN = 1.05
"""Of the trace: calls of several threads at a time would add up to more."""
HOLDER_SHARE = 0.2
"""Of the longest thread's wait: slow calls inside that function that explain it."""


def _held(profile: ProcessProfile) -> Iterator[Hit]:
    by_place: dict[tuple[str, int | None], list[Wake]] = defaultdict(list)
    for wake in profile.process.wakes:
        if wake.stack and wake.kind not in INTERPRETER_KINDS and _waits_for_lock(wake):
            frame = wake.stack[len(library_frames(wake.stack))]
            by_place[frame.file, frame.line].append(wake)
    for wakes in by_place.values():
        waited = sum(one.wait_ns for one in wakes)
        released = sum(one.wait_ns for one in wakes if _releases(one))
        whole = whole_of(waited, profile, NOTICED_NS, ("lock",))
        if waited < max(LEAST_NS, LEAST_SHARE * whole.ns):
            continue
        surely = (
            released >= SAME_SHARE * waited
            or _works_in_turn(wakes, waited, profile)
            or (
                _some_release(wakes, released, waited) and _computes_in_turn(wakes, waited, profile)
            )
        )
        other = (_longer_elsewhere if surely else _elsewhere)(wakes, waited, profile)
        if surely or other is not None:
            yield replace(_hit(wakes, waited, profile, other), whole=whole)


def _waits_for_lock(wake: Wake) -> bool:
    if not has_own(wake.stack):
        return False
    call = InCall("futex", wake.kind, None, "", 0, 0, own=wake.own, stack=wake.stack)
    return purpose_of(call) is Purpose.LOCK


def _releases(wake: Wake) -> bool:
    takers = taking_functions(wake.stack)
    return any((one.file, one.function) in takers for one in wake.waker_stack)


def _works_in_turn(wakes: Sequence[Wake], waited: int, profile: ProcessProfile) -> bool:
    """Whether threads make slow calls inside the function that takes the lock, and no more than one
    of them at a time: a waker may be long past it when it is seen. They take much of the time, or
    the longest lasts about as long as the longest wait, and all explain the waits of those that can
    wait at once (a log that is sent away now and then, while all others want to log)."""
    if _handed_ns(wakes) >= SAME_SHARE * waited:
        return False
    calls = slow_calls_inside(wakes, profile)
    inside = sum(one.wait_ns for one in calls)
    least = min(waited, profile.wall_ns)
    longest = max((one.max_ns for one in calls), default=0)
    if longest >= LIKE_SHARE * max(one.max_ns for one in wakes):
        least = min(least, waited // _others(profile))
    return IN_TURN_SHARE * least <= inside <= MOST_IN_TURN * profile.wall_ns


def _others(profile: ProcessProfile) -> int:
    """So many threads can wait at once while one that takes locks, too, has this one."""
    return max(1, len({tid for tid, one in profile.threads.items() if one.wait_ns["lock"]}) - 1)


def _some_release(wakes: Sequence[Wake], released: int, waited: int) -> bool:
    """Whether some waits were ended from inside the function that takes the lock, and few by work
    that was handed over."""
    told = released + _handed_ns(wakes)
    return released >= max(SEEN_SHARE * told, TOLD_SHARE * waited)


def _computes_in_turn(wakes: Sequence[Wake], waited: int, profile: ProcessProfile) -> bool:
    """Whether the CPU time inside the function that takes the lock explains much of the waits, of
    which as many go on at once as there are other threads that take it."""
    spent = cpu_ns_of(samples_inside(wakes, profile))
    return IN_TURN_SHARE * waited / _others(profile) <= spent <= MOST_IN_TURN * profile.wall_ns


def _elsewhere(
    wakes: Sequence[Wake], waited: int, profile: ProcessProfile
) -> Line | CpuSample | None:
    """What takes long in other functions that take the lock."""
    if idles(waited, profile):
        return None
    least = HOLDER_SHARE * min(waited, profile.wall_ns)
    call = slow_call(wakes, profile, least, MOST_IN_TURN * profile.wall_ns)
    if call is not None:
        return call
    computing = samples(wakes, profile)
    if not computing or cpu_ns_of(computing) < least:
        return None
    return max(computing, key=lambda one: one.samples)


def _handed_ns(wakes: Sequence[Wake]) -> int:
    return sum(one.wait_ns for one in wakes if _is_handed_over(one))


def _longer_elsewhere(
    wakes: Sequence[Wake], waited: int, profile: ProcessProfile
) -> Line | CpuSample | None:
    """The same where it is as long as the longest wait, and no slow call inside the function that
    waits is: those may come when it has let go of the lock."""
    inside, other = _holder(wakes, waited, profile), _elsewhere(wakes, waited, profile)
    if inside is None or not isinstance(other, Line):
        return None
    least = LIKE_SHARE * max(one.max_ns for one in wakes)
    return other if inside.max_ns < least <= other.max_ns else None


def _is_handed_over(wake: Wake) -> bool:
    """Woken from code of the program that has nothing in common with the waiter's: by a thread that
    gives it work."""
    mine = {(frame.file, frame.function) for frame in wake.stack}
    own = [one for one in wake.waker_stack if not in_library(one)]
    return bool(own) and not any((one.file, one.function) in mine for one in own)


def _hit(
    wakes: Sequence[Wake], waited: int, profile: ProcessProfile, other: Line | CpuSample | None
) -> Hit:
    """``other``: what takes long in another function; None: who has it is seen to be inside the one
    that takes it."""
    worst = max(wakes, key=lambda one: one.wait_ns)
    holder = _holder(wakes, waited, profile) if other is None else None
    place = worst.stack[len(library_frames(worst.stack))]
    count = sum(one.calls for one in wakes)
    longest = max(one.max_ns for one in wakes)
    evidence: dict[str, float | int | str] = {
        "waits": count,
        "waited_ns": waited,
        "longest_ns": longest,
        "latest_holder": f"thread {worst.tid}",
    }
    lines: tuple[ToldLine, ...] = (
        ToldLine(
            f"{frame_text(place)} -> waits for the lock: {plural(count, 'time')}, "
            f"{duration(waited)}{_summed(waited, profile)}, {duration(longest)} at most",
            wait_at(place, HELD_LOCK),
        ),
    )
    inside = samples_inside(wakes, profile) if other is None else []
    likely = ""
    if holder is None and not inside:
        other = other or _elsewhere(wakes, waited, profile)
        likely = "most likely " if other is not None else ""
        if isinstance(other, CpuSample):
            inside = samples(wakes, profile)
        elif other is not None:
            holder = other
    does = "works"
    held: Sequence[Frame] = holder.stack if holder is not None else ()
    if holder is not None:
        evidence["holder_sleeps_in"] = holder.syscall
        full = f" to a {holder.kind} that is full, its reader is slow," if _writes(holder) else ""
        does = f"sleeps in {holder.syscall}{full} at {holder.own_stack[0].place}"
        lines += waiting_lines([holder], profile.process)
    elif inside:
        computes = max(inside, key=lambda one: one.samples)
        spent = cpu_ns_of(inside)
        if spent >= HOLDER_SHARE * min(waited, profile.wall_ns):
            evidence["computes_with_it_ns"] = spent
            held = computes.stack
            inner, own = held[0], computes.own_stack[0]
            at = frame_text(inner)
            does = f"computes at {at}"
            lines += (
                ToldLine(
                    f"{frame_text(own)} -> {'' if inner == own else f'{at}: '}"
                    f"about {duration(spent)} of CPU time while it had the lock"
                ),
            )
    return Hit(
        evidence,
        waited,
        lines=lines,
        title=f"Threads wait for {_lock_name(worst)} at {place.place}{_taken_in(worst)}, while the "
        f"one that has it {likely}{does}",
        advice=library_advice(held, wakes) if _taken_in(worst) else "",
    )


def _summed(waited: int, profile: ProcessProfile) -> str:
    return " of all its threads together" if waited > profile.wall_ns else ""


def _lock_name(wake: Wake) -> str:
    return "the lock of a connection pool" if taker_of(wake.stack) else "a lock"


def _writes(holder: Line) -> bool:
    """Into what sleeps only where there is no room."""
    return holder.syscall in WRITES and holder.kind in PIPES_AND_TERMINALS


def _taken_in(wake: Wake) -> str:
    """Which function of a library takes it, where one does."""
    frame = taking_frames(wake)[0]
    own = wake.stack[len(library_frames(wake.stack))]
    return "" if frame == own else f" (taken in {frame_text(frame)})"


def _holder(wakes: Sequence[Wake], waited: int, profile: ProcessProfile) -> Line | None:
    """The slow call that threads make most inside the function that takes the lock."""
    takers = {(one.file, one.function) for wake in wakes for one in may_keep(wake)}
    found = [
        one
        for one in profile.process.lines
        if one.syscall not in LOCKS
        and one.wait_ns >= HOLDER_SHARE * min(waited, profile.wall_ns)
        and one.wait_ns <= MOST_IN_TURN * profile.wall_ns
        and any((frame.file, frame.function) in takers for frame in one.stack)
    ]
    return max(found, key=lambda one: one.wait_ns, default=None)


def _is_of_that_lock(cause: Hit, symptom: Hit) -> bool:
    """That somebody has waited for it for long: it is released, and taken again."""
    ours, other = (one.lines[0].wait if one.lines else None for one in (cause, symptom))
    return ours is not None and other is not None and ours.is_of_lock_of(other)


HELD = Rule(
    "IO144",
    "Threads wait for a lock, while the one that has it sleeps or works",
    "Do less under the lock: ask peers, write files and compute before taking it or after, and "
    "keep only the change of shared data in it; or have a lock for each object in place of one "
    "for all.",
    _held,
    explains={
        "IO117": covers,
        "IO119": covers,
        "IO141": _is_of_that_lock,
        "IO142": always,
        "IO212": covers,
        **QUEUES,
    },
)

# SPDX-License-Identifier: Apache-2.0
"""A lock that is held while its holder sleeps or works for long: others wait in turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Frame, InCall, Line, Wake
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, library_frames, purpose_of
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always, covers
from iotrace.vocabulary.calls import LOCKS
from iotrace.vocabulary.kinds import GIL_KINDS

LEAST_NS = 200_000_000
LEAST_SHARE = 0.1
"""Of the trace, that all threads together wait for the lock."""
SAME_SHARE = 0.5
"""Of these waits, ended by a thread that was in the very function that takes the lock."""
HOLDER_SHARE = 0.2
"""Of the longest thread's wait: slow calls inside that function that explain it."""


def _held(profile: ProcessProfile) -> Iterator[Hit]:
    by_place: dict[tuple[str, int | None], list[Wake]] = defaultdict(list)
    for wake in profile.process.wakes:
        if wake.stack and wake.kind not in GIL_KINDS and _waits_for_lock(wake):
            frame = wake.stack[len(library_frames(wake.stack))]
            by_place[frame.file, frame.line].append(wake)
    for wakes in by_place.values():
        waited = sum(one.wait_ns for one in wakes)
        released = sum(one.wait_ns for one in wakes if _releases(one))
        if waited < max(LEAST_NS, LEAST_SHARE * profile.wall_ns):
            continue
        if released >= SAME_SHARE * waited:
            yield _hit(wakes, waited, profile)


def _waits_for_lock(wake: Wake) -> bool:
    if len(library_frames(wake.stack)) == len(wake.stack):
        return False
    call = InCall("futex", wake.kind, None, "", 0, 0, own=wake.own, stack=wake.stack)
    return purpose_of(call) is Purpose.LOCK


def _takers(stack: Sequence[Frame]) -> set[tuple[str, str]]:
    """The functions that may have taken it: the program's own innermost, and those it calls."""
    return {(one.file, one.function) for one in stack[: len(library_frames(stack)) + 1]}


def _releases(wake: Wake) -> bool:
    takers = _takers(wake.stack)
    return any((one.file, one.function) in takers for one in wake.waker_stack)


def _hit(wakes: Sequence[Wake], waited: int, profile: ProcessProfile) -> Hit:
    worst = max(wakes, key=lambda one: one.wait_ns)
    holder = _holder(wakes, waited, profile)
    place = worst.stack[len(library_frames(worst.stack))]
    count = sum(one.calls for one in wakes)
    longest = max(one.max_ns for one in wakes)
    evidence: dict[str, float | int | str] = {
        "waits": count,
        "waited_ns": waited,
        "longest_ns": longest,
        "latest_holder": worst.tid,
    }
    lines: tuple[str, ...] = (
        f"{place.place} {place.function} -> waits for the lock: {plural(count, 'time')}, "
        f"{duration(waited)}, {duration(longest)} at most",
    )
    does = "works"
    if holder is not None:
        evidence["holder_sleeps_in"] = holder.syscall
        does = f"sleeps in {holder.syscall} at {holder.own_stack[0].place}"
        lines += waiting_lines([holder], profile.process)
    return Hit(
        evidence,
        waited,
        lines=lines,
        title=f"Threads wait for a lock at {place.place}, while the one that has it {does}",
    )


def _holder(wakes: Sequence[Wake], waited: int, profile: ProcessProfile) -> Line | None:
    """The slow call that threads make most inside the function that takes the lock."""
    takers = {one for wake in wakes for one in _takers(wake.stack)}
    found = [
        one
        for one in profile.process.lines
        if one.syscall not in LOCKS
        and one.wait_ns >= HOLDER_SHARE * min(waited, profile.wall_ns)
        and any((frame.file, frame.function) in takers for frame in one.stack)
    ]
    return max(found, key=lambda one: one.wait_ns, default=None)


HELD = Rule(
    "IO144",
    "Threads wait for a lock, while the one that has it sleeps or works",
    "Do less under the lock: ask peers, write files and compute before taking it or after, and "
    "keep only the change of shared data in it; or have a lock for each object in place of one "
    "for all.",
    _held,
    explains={"IO105": always, "IO117": covers, "IO119": covers, "IO142": always},
)

# SPDX-License-Identifier: Apache-2.0
"""What is done with a lock by those who take it in other functions than the ones that wait.

Whoever waits for a plain lock (``with lock:``) is woken by the thread that lets go of it. Where
that thread is in a function of its own, what takes long in that function, and about as long as
the waits, is most likely done with the lock. A queue in C (queue.SimpleQueue) looks the same: its
waiters are idle, and who fills it waits for work itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import CpuSample, Frame, Line, Wake
from iotrace.verdict.frames import in_library, library_frames
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.stuck import taking_functions
from iotrace.vocabulary.calls import ACCEPTS, FAMILIES, LOCKS

LEAST_RELEASES = 2
"""Waits that such a function has ended; a single one may be chance."""
LIKE_SHARE = 0.5
"""Of the longest wait that it has ended: the longest call that explains the wait. Waiters come
while the lock is held, so that the longest of many waits is about as long as it is held."""
_HANDS_OVER = ("/threading.py", "/queue.py", "/synchronize.py", "/queues.py")
"""Events, conditions and queues are set by who has work for the waiter, and held by nobody."""


_WAITS_FOR_WORK = ACCEPTS | FAMILIES.keys()
BUSY_SHARE = 0.5
"""Of the waits for the lock that many at least are of threads with a request in hand, or of threads
that are not known to serve."""

_Function = tuple[str, str]


def idles(waited_ns: int, profile: ProcessProfile) -> bool:
    """Whether who waits is idle most of the time: a queue, not a lock, is what it waits at."""
    seen = profile.total
    busy = seen.wait_ns["lock"] - seen.idle_ns.get("lock", 0)
    return busy < BUSY_SHARE * waited_ns


def slow_call(
    wakes: Sequence[Wake], profile: ProcessProfile, least_ns: float, most_ns: float
) -> Line | None:
    """The slow call in these functions whose longest is nearest to the longest wait; all of it
    takes from ``least_ns`` to ``most_ns``."""
    found = [
        (abs(line.max_ns - longest), place, line)
        for function, longest in _ends(wakes)
        for place, line in enumerate(profile.process.lines)
        if line.syscall not in LOCKS | _WAITS_FOR_WORK
        and line.max_ns >= LIKE_SHARE * longest
        and least_ns <= line.wait_ns <= most_ns
        and _is_in(function, line.stack)
    ]
    return min(found)[2] if found else None


def samples(wakes: Sequence[Wake], profile: ProcessProfile) -> list[CpuSample]:
    """Where threads computed in these functions."""
    functions = [function for function, _ in _ends(wakes)]
    return [
        one
        for one in profile.process.cpu_samples
        if any(_is_in(function, one.stack) for function in functions)
    ]


def _ends(wakes: Sequence[Wake]) -> Iterator[tuple[_Function, int]]:
    """The program's own functions that have let go of the lock, and the longest wait so ended."""
    by_function: dict[_Function, list[Wake]] = {}
    for one in wakes:
        frame = _own(one.waker_stack)
        if frame is None or _is_handover(one) or _takes_it_too(frame, one):
            continue
        by_function.setdefault((frame.file, frame.function), []).append(one)
    for function, ended in by_function.items():
        if sum(one.calls for one in ended) >= LEAST_RELEASES:
            yield function, max(one.max_ns for one in ended)


def _own(stack: Sequence[Frame]) -> Frame | None:
    return next((one for one in stack if not in_library(one)), None)


def _is_handover(wake: Wake) -> bool:
    return any(one.file.endswith(_HANDS_OVER) for one in library_frames(wake.stack))


def _takes_it_too(frame: Frame, wake: Wake) -> bool:
    """It is a waiter's function, or one that has called it: what they do with the lock is seen by
    where they are in it."""
    calling = {(one.file, one.function) for one in wake.stack}
    return (frame.file, frame.function) in calling | taking_functions(wake.stack)


def _is_in(function: _Function, stack: Sequence[Frame]) -> bool:
    return any((one.file, one.function) == function for one in stack)

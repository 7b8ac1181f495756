# SPDX-License-Identifier: Apache-2.0
"""Results of a process pool that do not come, as its workers end before they give one."""

from __future__ import annotations

from iotrace.verdict.classify.process_tree import forks, is_short_lived
from iotrace.verdict.frames import library_frames, short_name
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.stuck import Stuck, in_calls

_POOL = "/multiprocessing/pool.py"
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


def _awaits_results(other: Stuck, one: Stuck) -> bool:
    """It is the pool's thread that reads results, and has been at it for as long as the other."""
    return other.held_ns >= NEARLY_AS_LONG * one.held_ns and any(
        frame.file.endswith(_POOL) and short_name(frame) == "_handle_results"
        for frame in other.call.stack
    )


def _is_of_process_pool(one: Stuck) -> bool:
    return any(frame.file.endswith(_POOL) for frame in library_frames(one.call.stack))

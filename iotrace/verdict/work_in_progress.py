# SPDX-License-Identifier: Apache-2.0
"""Whether anybody works at what a thread waits for: then it does not hang, it takes long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import in_library
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.stuck import Stuck, in_calls, whereabouts

IDLE_SHARE = 0.5
"""Of the time that a result is waited for, in one call: who is in that does not work at it."""

_HELPERS = re.compile(r"/multiprocessing/(?:resource_tracker|managers)\.py$")
"""What multiprocessing starts for itself: such a process serves others, and does no work."""
INNERMOST = 4
"""Frames that are looked at for it."""


def is_worked_at(one: Stuck, profile: ProcessProfile) -> bool:
    """Whether a thread of the program's own, or a child, does something else than to wait in one
    call all along. Of a server nobody can say whether that is for this result."""
    if one.serves:
        return False
    return any(_works(tid, one, profile) for tid in _own_threads(one, profile)) or any(
        _is_at_work(child, one) for child in below(profile)
    )


def below(profile: ProcessProfile) -> Iterator[ProcessProfile]:
    """Its children, and theirs: a fork server's, a shell's."""
    for child in profile.children:
        yield child
        yield from below(child)


def _own_threads(one: Stuck, profile: ProcessProfile) -> Iterator[int]:
    """Those that run the program's own code, without those of libraries."""
    known = {other.tid for other in whereabouts(profile) if _is_own(other.call.stack)}
    known |= {row.tid for row in profile.process.cpu_samples if _is_own(row.stack)}
    for row in profile.process.threads:
        if row.tid in known and row.tid != one.tid and row.ended_ns is None:
            yield row.tid


def _is_own(stack: Sequence[Frame]) -> bool:
    """Whether the program's own code is in it, not only what libraries have made of text."""
    return any(not in_library(frame) and not frame.file.startswith("<") for frame in stack)


def _works(tid: int, one: Stuck, profile: ProcessProfile) -> bool:
    held_ns = next((other.held_ns for other in in_calls(profile) if other.tid == tid), 0)
    return held_ns < IDLE_SHARE * one.held_ns


def _is_at_work(child: ProcessProfile, one: Stuck) -> bool:
    """It is there all along: those that come and go are no sign that something gets done."""
    if not child.process.pid or child.process.ended_ns is not None:
        return False
    if child.wall_ns < IDLE_SHARE * one.held_ns:
        return False
    if any(_HELPERS.search(frame.file) for other in whereabouts(child) for frame in _inner(other)):
        return False
    return any(_works(row.tid, one, child) for row in child.process.threads if row.ended_ns is None)


def _inner(one: Stuck) -> Sequence[Frame]:
    return one.call.stack[:INNERMOST]

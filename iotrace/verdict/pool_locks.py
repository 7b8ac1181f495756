# SPDX-License-Identifier: Apache-2.0
"""Waits without a frame of their own in a function that takes a connection out of a pool.

It waits for the pool's own lock, which guards it, or for a connection, where the pool is of C: in
queue.SimpleQueue, or in a driver. The stack does not tell; who ends such waits does.
"""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.report.stacks import Frame, InCall, Line
from iotrace.verdict.frames import in_library
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import takes_connection
from iotrace.verdict.stuck import in_calls
from iotrace.vocabulary.calls import LOCKS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS

_NEVER_WAITS = "/psycopg2/pool.py"
"""It raises PoolError where no connection is free: what waits there waits for its lock, which who
gives one back has for a round trip (a rollback)."""
RELEASED_SHARE = 0.1
"""Of the waits there, ended by a thread that was in the same function: it let go of a lock. Wakers
are seen some time after, so that for a lock it may be a small part; for a connection it is none."""


def taker_of(stack: Sequence[Frame]) -> Frame | None:
    """The pool's function that waits itself, in C; None: something else waits."""
    first = stack[0] if stack else None
    return first if first and in_library(first) and takes_connection(first) else None


def waits_in_c(one: InCall | Line, profile: ProcessProfile) -> bool:
    """Whether it waits there for a connection, and not for the pool's lock."""
    taker = taker_of(one.stack)
    if taker is None or one.syscall not in LOCKS or one.kind in INTERPRETER_KINDS:
        return False
    if taker.file.endswith(_NEVER_WAITS):
        return False
    place = taker.file, taker.function
    waited = released = 0
    for wake in profile.process.wakes:
        if wake.kind in INTERPRETER_KINDS or not wake.stack or not wake.waker_stack:
            continue
        if (wake.stack[0].file, wake.stack[0].function) == place:
            waited += wake.wait_ns
            released += wake.wait_ns if _is_in(place, wake.waker_stack) else 0
    if waited:
        return released < RELEASED_SHARE * waited
    # Nobody was seen to be woken: who has a lock waits for something else in the pool's code.
    return not any(
        _is_in(place, one.call.stack) and one.call.syscall not in LOCKS for one in in_calls(profile)
    )


def _is_in(place: tuple[str, str], stack: Sequence[Frame]) -> bool:
    return any((one.file, one.function) == place for one in stack)

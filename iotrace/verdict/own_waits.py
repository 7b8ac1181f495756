# SPDX-License-Identifier: Apache-2.0
"""Where threads wait for other threads of their own program, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.verdict.frames import has_own, library_frames, short_name
from iotrace.verdict.number_formats import share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import serves
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.time_places import TimePlace, is_awaited
from iotrace.vocabulary.calls import LOCKS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS

MOSTLY_SHARE = 0.9
"""Of a thread's time, and of its waits, at one line: there it is nearly always."""
KNOWN_SHARE = 0.5
"""Of its time asleep, with a line: stacks may be followed only some time after the trace began."""


def longest_in_locks(profile: ProcessProfile) -> TimePlace | None:
    """Where threads that serve wait for other threads most."""
    rows = [
        one
        for one in profile.process.lines
        if one.syscall in LOCKS
        and one.kind not in INTERPRETER_KINDS
        and serves(one.stack)
        and has_own(one.stack)
    ]
    longest = max(rows, key=lambda one: one.wait_ns, default=None)
    if longest is None:
        return None
    own, library = longest.own_stack[0], library_frames(longest.stack)
    taker = library[-1] if library else None
    inside = f", in {taker.function} ({'/'.join(taker.file.rsplit('/', 2)[-2:])})" if taker else ""
    return TimePlace(
        f" The longest of these waits are at {own.place} {short_name(own)}{inside}.",
        profile,
        waiting_lines([longest], profile.process) if is_awaited(longest, profile) else (),
        cost_ns=longest.wait_ns,
    )


def own_wait(family: Sequence[ProcessProfile]) -> TimePlace | None:
    """Where the main thread of a program that serves nobody spends nearly all of its time."""
    process = family[0].process
    seen = family[0].threads.get(process.pid or 0)
    rows = [one for one in process.lines if one.tid == process.pid and one.wait_ns]
    longest = max(rows, key=lambda one: one.wait_ns, default=None)
    if seen is None or longest is None or not longest.own_stack:
        return None
    asleep, known = seen.asleep_ns, sum(one.wait_ns for one in rows)
    if asleep < MOSTLY_SHARE * seen.lifetime_ns or known < KNOWN_SHARE * asleep:
        return None
    if longest.wait_ns < MOSTLY_SHARE * known:
        return None
    own = longest.own_stack[0]
    return TimePlace(
        f"Its main thread was asleep for {share(asleep, seen.lifetime_ns)} of its time, nearly "
        f"always at {own.place} {short_name(own)} in {longest.syscall}.",
        family[0],
        waiting_lines([longest], process) if is_awaited(longest, family[0]) else (),
        cost_ns=longest.wait_ns,
    )

# SPDX-License-Identifier: Apache-2.0
"""Waits for the interpreter's lock, those among them that only look alike, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.report.model import Call
from iotrace.verdict.call_sums import sum_calls
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.vocabulary.kinds import Kind

WALL_SHARE = 0.05
LEAST_MEAN_NS = 100_000
"""Of a wait, where no holder had to be asked to let go: threads that make short calls hand the lock
to each other, which costs a switch each time and no more."""
INTERVAL_NS = 5_000_000
"""sys.getswitchinterval(): after that who waits asks the holder to let go, and waits on."""
ASKED_SHARE = 0.5
"""Of the waits, so much in intervals after which the holder had to be asked: now and then it has to
be in any program with threads."""
LONGEST_MEAN_NS = 10_000_000
"""Of waits that only look alike: who wants the GIL wakes up and asks after 5 ms, after
twice that where it is late (sys.getswitchinterval). Longer ones are a library's own."""


def waits_for_the_gil(profile: ProcessProfile) -> list[Call]:
    """Surely those; waits that only look alike, where the lock's address is not known. Where it has
    become known during the trace, those from before are told by what came after."""
    futexes = [one for one in profile.process.calls if one.syscall == "futex"]
    surely = [one for one in futexes if one.kind == Kind.GIL.label]
    of_these = sum(one.wait_ns for one in surely)
    if surely and not (of_these >= WALL_SHARE * profile.wall_ns and keep_it(surely)):
        return surely
    alike = [one for one in futexes if one.kind == Kind.SHORT_TIMEOUT.label]
    waits = sum_calls(alike).calls
    return surely + (alike if sum(one.wait_ns for one in alike) < LONGEST_MEAN_NS * waits else [])


def keep_it(rows: Sequence[Call]) -> bool:
    """Whether holders mostly had to be asked to let go, or a wait is longer than handing over."""
    expired = sum((one.errors or {}).get("ETIMEDOUT", 0) for one in rows)
    waited = sum(one.wait_ns for one in rows)
    return expired * INTERVAL_NS >= ASKED_SHARE * max(1, waited) or waited >= LEAST_MEAN_NS * max(
        1, sum_calls(rows).calls
    )


def kept_waiting_ns(tid: int, profile: ProcessProfile) -> int:
    """How long a thread has waited for the interpreter's lock; 0 where threads but hand it over."""
    rows = waits_for_the_gil(profile)
    return sum(one.wait_ns for one in rows if one.tid == tid) if keep_it(rows) else 0


def like_the_gil_ns(profile: ProcessProfile) -> int:
    """Of waits for locks, those that are for the interpreter's, its address not yet known."""
    rows = [one for one in waits_for_the_gil(profile) if one.kind == Kind.SHORT_TIMEOUT.label]
    return sum(one.wait_ns for one in rows)

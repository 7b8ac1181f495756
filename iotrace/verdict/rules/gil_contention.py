# SPDX-License-Identifier: Apache-2.0
"""Threads that queue for the interpreter's lock (or one like it)."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.verdict.call_sums import sum_calls
from iotrace.verdict.cpu_samples import busiest_place, busy_lines
from iotrace.verdict.gil_waits import WALL_SHARE, keep_it, waits_for_the_gil
from iotrace.verdict.long_forks import FORK_ADVICE, long_forks
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.rules.accept_queue import keeps_the_gil
from iotrace.verdict.rules.rule import COVERED_SHARE, Hit, Rule, always
from iotrace.verdict.told_lines import MOST

ACTIVE_SHARE = 0.25
"""Of the time that its threads run, want a CPU or want the lock, spent on wanting the lock."""
SATURATED_SHARE = 0.75
"""Of the time traced, that its threads ran, added up, while they waited for the lock for longer
than that: it was in use nearly all along, and more CPUs would not help, however long they wait for
one, too."""
KEPT_SHARE = 0.2
"""Of the time traced, that all threads together are on a CPU: with less the lock is mostly free."""
SOON_NS = 1_000_000
"""A wait on average: a fifth of the interval after which a holder is asked to let go."""
MOST_COMPUTING = 2
"""Lines of those who compute; the others are of those who wait."""


def _contended(profile: ProcessProfile) -> Iterator[Hit]:
    seen = profile.total
    rows = waits_for_the_gil(profile)
    waited = sum(one.wait_ns for one in rows)
    active = waited + seen.cpu_ns + seen.runq_ns
    saturated = waited >= seen.cpu_ns >= SATURATED_SHARE * profile.wall_ns
    least = 0 if saturated else ACTIVE_SHARE * active
    if waited < max(least, WALL_SHARE * profile.wall_ns):
        return
    if not seen.operations:
        return
    waits = sum_calls(rows).calls
    expired = sum((one.errors or {}).get("ETIMEDOUT", 0) for one in rows)
    if not saturated and not keep_it(rows):
        return
    tids = {one.tid for one in rows if one.wait_ns}
    worst = max(rows, key=lambda one: one.wait_ns)
    computing, place = busy_lines(profile.process), busiest_place(profile.process)
    waiting = waiting_lines(lines_of_category(profile.process, "gil"), profile.process)
    evidence: dict[str, float | int | str] = {
        "waited_ns": waited,
        "waits": waits,
        "mean_wait_ns": waited // max(1, waits),
        "threads": len(tids),
    }
    if profile.detail is Detail.FULL:
        evidence |= {
            "timeouts": expired,
            "per_io_operation_ns": waited // max(1, seen.operations),
        }
    forks = long_forks(profile)
    brief = forks is None and _in_short_bursts(waited, waits, profile)
    if forks is not None:
        evidence |= forks.evidence
    does = forks.words if forks is not None else "while they compute"
    yield Hit(
        evidence,
        waited,
        worst.tid if len(tids) == 1 and worst.tid else None,
        severity="low" if brief else None,
        lines=(*computing[:MOST_COMPUTING], *waiting)[:MOST],
        title=f"Threads wait for Python's GIL, which others keep {does} at {place}"
        if place
        else "",
        advice=FORK_ADVICE if forks is not None else "",
    )


def _in_short_bursts(waited_ns: int, waits: int, profile: ProcessProfile) -> bool:
    """Many threads are woken at a time (news for all clients), and each soon has its turn: the sum
    of their waits is large, and nobody waits for long."""
    computes = profile.total.cpu_ns >= KEPT_SHARE * profile.wall_ns
    return not computes and waited_ns < SOON_NS * waits


def _stalls_the_loop(cause: Hit, symptom: Hit) -> bool:
    """The loop waits for the lock for most of its stalls."""
    waited = float(symptom.evidence.get("blocked_in_gil_ns", 0))
    return waited >= COVERED_SHARE * (symptom.cost_ns or 0)


CONTENDED = Rule(
    "IO113",
    "Lock contention after I/O: threads wait for the GIL",
    "Python runs one thread at a time: make what computes (the first lines) cheaper, do once what "
    "is the same for each request, or move it to processes (ProcessPoolExecutor, more workers). "
    "timeouts counts the waits in which a thread kept the lock for its whole switch interval of "
    "5 ms.",
    _contended,
    explains={"IO103": _stalls_the_loop, "IO105": always, "IO171": keeps_the_gil},
    least=Detail.LIGHT,
)

# SPDX-License-Identifier: Apache-2.0
"""Threads that queue for the interpreter's lock (or one like it)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.detail import Detail
from iotrace.report.model import Call
from iotrace.verdict.call_sums import sum_calls
from iotrace.verdict.cpu_samples import busiest_place, busy_lines
from iotrace.verdict.long_forks import FORK_ADVICE, long_forks
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.rules.rule import COVERED_SHARE, Hit, Rule, always
from iotrace.verdict.told_lines import MOST
from iotrace.vocabulary.kinds import GIL_KINDS, Kind

ACTIVE_SHARE = 0.25
"""Of the time that its threads run, want a CPU or want the lock, spent on wanting the lock."""
WALL_SHARE = 0.05
LEAST_MEAN_NS = 100_000
"""Of a wait, where no holder had to be asked to let go: threads that make short calls hand the lock
to each other, which costs a switch each time and no more."""
LONGEST_MEAN_NS = 10_000_000
"""Of waits that only look alike: who wants the GIL wakes up and asks after 5 ms, after
twice that where it is late (sys.getswitchinterval). Longer ones are a library's own."""
MOST_COMPUTING = 2
"""Lines of those who compute; the others are of those who wait."""


def _contended(profile: ProcessProfile) -> Iterator[Hit]:
    seen = profile.total
    rows = _waits_for_the_gil(profile)
    waited = sum(one.wait_ns for one in rows)
    active = waited + seen.cpu_ns + seen.runq_ns
    if waited < max(ACTIVE_SHARE * active, WALL_SHARE * profile.wall_ns):
        return
    if not seen.operations:
        return
    waits = sum_calls(rows).calls
    expired = sum((one.errors or {}).get("ETIMEDOUT", 0) for one in rows)
    if not _keep_it(rows):
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
    if forks is not None:
        evidence |= forks.evidence
    does = forks.words if forks is not None else "while they compute"
    yield Hit(
        evidence,
        waited,
        worst.tid if len(tids) == 1 and worst.tid else None,
        lines=(*computing[:MOST_COMPUTING], *waiting)[:MOST],
        title=f"Threads wait for Python's GIL, which others keep {does} at {place}"
        if place
        else "",
        advice=FORK_ADVICE if forks is not None else "",
    )


def _waits_for_the_gil(profile: ProcessProfile) -> list[Call]:
    """Surely those; waits that only look alike, where the lock's address is not known. Where it has
    become known during the trace, those from before are told by what came after."""
    futexes = [one for one in profile.process.calls if one.syscall == "futex"]
    surely = [one for one in futexes if one.kind == Kind.GIL.label]
    of_these = sum(one.wait_ns for one in surely)
    if surely and not (of_these >= WALL_SHARE * profile.wall_ns and _keep_it(surely)):
        return surely
    alike = [one for one in futexes if one.kind in GIL_KINDS and one not in surely]
    waits = sum_calls(alike).calls
    return surely + (alike if sum(one.wait_ns for one in alike) < LONGEST_MEAN_NS * waits else [])


def _keep_it(rows: Sequence[Call]) -> bool:
    """Whether holders had to be asked to let go, or waits are longer than handing over takes."""
    expired = any((one.errors or {}).get("ETIMEDOUT") for one in rows)
    waited = sum(one.wait_ns for one in rows)
    return expired or waited >= LEAST_MEAN_NS * max(1, sum_calls(rows).calls)


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
    explains={"IO103": _stalls_the_loop, "IO105": always},
    least=Detail.LIGHT,
)

# SPDX-License-Identifier: Apache-2.0
"""A few answers of a peer that are late, where most come quickly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from iotrace.report.stacks import Frame
from iotrace.report.times import Bucket, Durations
from iotrace.verdict.databases import ROW_LOCKS, late_together
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always
from iotrace.verdict.upstreams import Upstream, upstreams

LATE_NS = 100_000_000
"""A user notices; no retransmission or collection of garbage in the peer is shorter by much."""
LATE_TIMES = 8
"""An answer is late that takes so many times what half of the answers take."""
LATE_SHARE = 0.1
"""Of the answers: where more are late, it is the peer's usual speed (IO119)."""
TAIL_SHARE = 0.3
"""Of all that was waited for a peer, from which on its late answers are what is to be told."""
ALIKE_TIMES = 2
"""As long as the shortest late answer takes the longest, of work that takes so long by nature."""
LEAST_LATE = 2
LEAST_ANSWERS = 30
LEAST_COST = 0.02
"""Of the time traced."""


def _late(profile: ProcessProfile) -> Iterator[Hit]:
    for upstream in upstreams(profile):
        if not upstream.is_work_source:
            yield from _tail(upstream, profile)


def _tail(upstream: Upstream, profile: ProcessProfile) -> Iterator[Hit]:
    waits = upstream.waits()
    slow = sum(count for _, _, count in waits)
    longest = max((line.max_ns for line in upstream.lines), default=0)
    times = _times(upstream, profile)
    if times is not None and times.count >= slow:
        answers, usual_ns = times.count, times.p50
    else:
        # An answer takes a call to ask and one to read. Those that were quick are in no line.
        answers = max(slow, upstream.calls // 2)
        # Of how many calls an answer is made depends on the client's library, so where a good part
        # of the answers is slow at all, the usual time is theirs.
        usual_ns = _median(waits) if slow > LATE_SHARE * answers else 0
    if answers < LEAST_ANSWERS:
        return
    late = [(low, high, n) for low, high, n in waits if low >= max(LATE_NS, LATE_TIMES * usual_ns)]
    count = sum(n for _, _, n in late)
    cost = sum(min((low + high) // 2, longest) * n for low, high, n in late)
    if count < LEAST_LATE or count > LATE_SHARE * answers or cost < LEAST_COST * profile.wall_ns:
        return
    least = late[0][0]
    alone, apart = _of_another_kind(upstream, least)
    together = late_together(upstream.peer, upstream.lines, least, profile)
    apart = apart and not together
    usual = f"half take less than {duration(usual_ns)}" if usual_ns else "most are much quicker"
    yield Hit(
        {
            "peer": upstream.peer,
            "late_answers": count,
            "answers": answers,
            "late_ratio": round(count / answers, 4),
            "p50_below_ns": usual_ns or waits[0][0],
            "late_from_ns": least,
            "longest_ns": longest,
            **({"late_in_other_processes": together} if together else {}),
        },
        cost,
        fd=upstream.rows[0].fd if len(upstream.rows) == 1 else None,
        lines=waiting_lines(upstream.lines, profile.process),
        title=f"A few answers of {upstream.peer} are late: {count:,} of {answers:,} "
        f"({share(count, answers)}) took {duration(least)} to {duration(longest)}, {usual}"
        + (_TOGETHER.format(plural(together, "other process")) if together else "")
        + (_FEW_QUICK if apart else ""),
        severity="low" if apart else None,
        advice=f"{_TAIL} {ROW_LOCKS}" if together else _BY_NATURE if alone else "",
    )


def _of_another_kind(upstream: Upstream, least_ns: int) -> tuple[bool, bool]:
    """Whether most answers that were seen at the places of the late ones were late: what is asked
    there may take so long each time. And whether that is likely: calls of less than a millisecond
    are at no line, so no less than as many quick ones have to be seen elsewhere, and the late ones
    to take about as long as each other."""
    late, quick = Counter[tuple[Frame, ...]](), Counter[tuple[Frame, ...]]()
    longest = [line.max_ns for line in upstream.lines]
    for line in upstream.lines:
        where = tuple(line.own_stack[:1])
        for low, _, count in line.latency_ns.histogram if line.latency_ns else ():
            (late if low >= least_ns else quick)[where] += count
    there = sum(quick[where] for where in late)
    alone = there < late.total()
    alike = max(longest, default=0) <= ALIKE_TIMES * least_ns
    return alone, alone and alike and quick.total() - there >= late.total()


def _times(upstream: Upstream, profile: ProcessProfile) -> Durations | None:
    """How long its answers took, each seen for itself, whether a thread slept for it or not (a
    loop's waits for its next job are among them); None: its exchanges were not seen."""
    rows = [one.theirs_ns for one in profile.process.upstreams if one.peer == upstream.peer]
    return next((one for one in rows if one is not None and one.histogram), None)


def _median(waits: tuple[Bucket, ...]) -> int:
    """The end of the bucket that has the median."""
    done, total = 0, sum(count for _, _, count in waits)
    for _, high, count in waits:
        done += count
        if 2 * done >= total:
            return high
    return 0


def _of_that_peer(late: Hit, dominates: Hit) -> bool:
    return late.evidence["peer"] == dominates.evidence["peer"] and (late.cost_ns or 0) >= (
        TAIL_SHARE * (dominates.cost_ns or 0)
    )


_TOGETHER = (
    "; {} of the program waited as long at the same line, perhaps for each other's transactions"
)
_TAIL = (
    "This is the tail (p99) of that service: look there for what its slow answers have in common "
    "(a query without an index, a lock, a pause for garbage collection, a lost packet). Here: a "
    "timeout a little above the usual time and one retry (of what may be asked twice), or a second "
    "request in parallel where the first is late (hedging), and no lock or pooled connection "
    "held meanwhile."
)

_FEW_QUICK = "; few quick ones were seen at their lines: what is asked there may always take long"
_BY_NATURE = (
    "Where what is asked there (a report, an export) takes so long by nature, it is no fault: see "
    "that it holds no lock or pooled connection that others need. Where it is quick as a rule: "
    f"{_TAIL[0].lower()}{_TAIL[1:]}"
)

LATE = Rule(
    "IO150",
    "A few answers of a peer are late, most are quick",
    _TAIL,
    _late,
    explains={"IO105": always, "IO119": _of_that_peer},
)

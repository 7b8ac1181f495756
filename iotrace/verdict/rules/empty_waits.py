# SPDX-License-Identifier: Apache-2.0
"""Threads that look for work again and again: waits with a short timeout, which runs out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.report.stacks import Line
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Cost, Hit, Rule, always, wastes_its_cpu
from iotrace.vocabulary.calls import FAMILIES, LOCKS, SLEEPS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS, NO_FDS

LEAST_PER_SECOND = 300
"""Of all threads together: a timer of 10 ms has 100, and costs next to nothing."""
MOST_NS = 20_000_000
"""Each wait, on average: longer ones are timers."""
CPU_SHARE = 0.03
"""Of one CPU."""
MOST_PER_WAIT_NS = 100_000
"""On a CPU for each wait that ran out: what takes longer has found something to do."""
OPERATIONS_PER_WAIT = 0.1
"""Calls that move data for each wait: with more, a thread does something each time."""
OVER = "ETIMEDOUT"


@dataclass(frozen=True, slots=True)
class _Polling:
    tid: int
    waits: int
    asleep_ns: int
    cpu_ns: int


def _empty(profile: ProcessProfile) -> Iterator[Hit]:
    found = [one for tid in profile.threads for one in _of_thread(profile, tid)]
    waits = sum(one.waits for one in found)
    cost = sum(one.cpu_ns for one in found)
    if profile.per_second(waits) < LEAST_PER_SECOND or cost < CPU_SHARE * profile.wall_ns:
        return
    tids = {one.tid for one in found}
    threads = sum(profile.threads[tid].threads for tid in tids)
    mean = sum(one.asleep_ns for one in found) // waits
    lines = [one for one in profile.process.lines if (one.tid in tids or 0 in tids) and _waits(one)]
    who = "A thread looks" if threads == 1 else f"{threads} threads look"
    yield Hit(
        {
            "waits_that_ran_out": waits,
            "per_second": round(profile.per_second(waits)),
            "mean_wait_ns": mean,
            "threads": threads,
            "cpu_ns": cost,
        },
        cost,
        found[0].tid or None if len(tids) == 1 else None,
        lines=waiting_lines(lines, profile.process),
        title=f"{who} for work again and again, {profile.per_second(waits):,.0f} times a second: "
        f"each wait times out after {duration(mean)} with nothing there",
    )


def _of_thread(profile: ProcessProfile, tid: int) -> Iterator[_Polling]:
    seen = profile.threads[tid]
    rows = profile.calls.get(tid, ())
    locks = [one for one in rows if one.syscall in LOCKS and one.kind not in INTERPRETER_KINDS]
    over = sum((one.errors or {}).get(OVER, 0) for one in locks)
    asleep = sum(one.wait_ns for one in locks if (one.errors or {}).get(OVER))
    sleeps = [one for one in rows if one.syscall in SLEEPS or one.kind == NO_FDS]
    over += sum(one.calls or 0 for one in sleeps)
    asleep += sum(one.wait_ns for one in sleeps)
    polls = [one for one in seen.loops if one.timeouts]
    over += sum(one.timeouts or 0 for one in polls)
    asleep += sum(one.wait_ns * (one.timeouts or 0) // max(1, one.iterations or 0) for one in polls)
    if not over or asleep > MOST_NS * over or seen.operations > OPERATIONS_PER_WAIT * over:
        return
    share = min(1.0, over / max(1, seen.voluntary))
    yield _Polling(tid, over, asleep, min(int(share * seen.cpu_ns), MOST_PER_WAIT_NS * over))


def _waits(one: Line) -> bool:
    if one.syscall in LOCKS:
        return one.kind not in INTERPRETER_KINDS
    return one.syscall in SLEEPS or one.syscall in FAMILIES


EMPTY = Rule(
    "IO200",
    "Threads look for work again and again: short waits that time out",
    "Wait without a timeout, or with one of a second and more: queue.get(), Event.wait() and "
    "Condition.wait() wake at once when something comes. To end such a thread, put a value that "
    "says so into its queue, or set the event that it waits for (Queue.shutdown() from Python 3.13 "
    "on). In place of short sleeps wait for what they look for.",
    _empty,
    explains={"IO112": wastes_its_cpu, "IO113": always},
    cost=Cost.CPU,
)

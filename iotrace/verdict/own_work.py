# SPDX-License-Identifier: Apache-2.0
"""The line of a program's own where most of its time goes, told where no rule says why."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.report.stacks import Line
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.frames import has_own
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import serves
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import HIGH_SHARE
from iotrace.verdict.time_places import TimePlace, is_awaited
from iotrace.verdict.work_sources import is_of_job, waits_for_work
from iotrace.vocabulary.calls import FAMILIES

MOSTLY_SHARE = 0.5
"""Of all waits of its calls, at one line: there it is most of the time."""


def own_work(family: Sequence[ProcessProfile]) -> TimePlace | None:
    """What a program does all along that nobody asks for anything: a script, a batch; None where
    somebody asks it for something, or no line of the program's own stands out. That it computes is
    its work: no place at which anybody waits."""
    if any(map(_serves, family)):
        return None
    everything = [(sum(line.wait_ns for line in one.process.lines), one) for one in family]
    waited, sleeper = max(everything, key=lambda item: item[0])
    computes = max(family, key=lambda one: one.total.cpu_ns)
    if computes.total.cpu_ns > waited:
        found = _computing(computes)
        return TimePlace(found.text, computes) if found else None
    own = [one for one in sleeper.process.lines if _own(one)]
    return _waiting(own, waited + _at_no_line_ns(sleeper, own), sleeper)


def costliest(
    family: Sequence[ProcessProfile], least_cpu: float = 0.0, *, asked: bool = False
) -> TimePlace | None:
    """The same of what somebody asks for: requests, where a server's code tells which lines are of
    those, or jobs. What waits for the next one is no part of it. ``least_cpu``: share of a
    process's time; where it computes for less, that explains nothing. ``asked``: clients are known
    to wait."""
    working = [(sum(line.wait_ns for line in _asked_for(one)), one) for one in family]
    waited, sleeper = max(working, key=lambda item: item[0])
    computes = max(family, key=lambda one: one.total.cpu_ns)
    if computes.total.cpu_ns > waited:
        is_little = computes.total.cpu_ns < least_cpu * computes.total.lifetime_ns
        return None if is_little else _computing(computes)
    # What is at no line may be for the next one.
    return _waiting(_asked_for(sleeper), waited, sleeper, asked=asked)


def jobs(family: Sequence[ProcessProfile]) -> TimePlace | None:
    """The same of jobs that nobody is seen to wait for, where they take much of a process's time;
    None where requests are seen, whose durations are known, or where jobs take little."""
    if any(one.process.requests for one in family):
        return None
    busiest = max(
        max(one.total.cpu_ns, sum(line.wait_ns for line in _asked_for(one)))
        / max(1, one.total.lifetime_ns)
        for one in family
    )
    found = costliest(family) if busiest >= HIGH_SHARE else None
    if found and found.is_computing and not _computes_in_jobs(found.profile):
        return TimePlace(found.text, found.profile)  # a pool of its own, which works for it alone
    return found


def _computes_in_jobs(one: ProcessProfile) -> bool:
    rows = one.process.cpu_samples
    inside = sum(row.samples for row in rows if is_of_job(row.stack))
    return inside >= MOSTLY_SHARE * sum(row.samples for row in rows)


def _computing(one: ProcessProfile) -> TimePlace | None:
    told = busy_lines(one.process)
    if not told:
        return None
    text = f"Where it computes most: {told[0].text}."
    on_cpu_ns = one.total.cpu_ns
    return TimePlace(text, one, told, {"on_cpu_ns": on_cpu_ns}, on_cpu_ns)


def _waiting(
    own: Sequence[Line], waited_ns: int, profile: ProcessProfile, *, asked: bool = False
) -> TimePlace | None:
    """ "It waits mostly at job.py:11 export -> wait4: 12 times, 3.7 s, 305 ms at most."."""
    most = max(own, key=lambda one: one.wait_ns, default=None)
    if most is None or most.wait_ns < MOSTLY_SHARE * waited_ns:
        return None
    told = waiting_lines([most], profile.process)
    if not told:
        return None
    text = f"It waits mostly at {told[0].text}."
    if not is_awaited(most, profile, asked=asked):
        return TimePlace(text, profile, cost_ns=most.wait_ns)
    evidence = {"calls": most.calls + most.in_flight, "longest_ns": most.max_ns}
    return TimePlace(text, profile, told, {**evidence}, most.wait_ns)


def _at_no_line_ns(one: ProcessProfile, lines: Sequence[Line]) -> int:
    """Waits of these lines' threads of which no line is known: in calls too short to be looked at,
    of which there may be many."""
    tids = {line.tid for line in lines}
    in_calls = sum(row.wait_ns for tid in tids for row in one.calls.get(tid, ()))
    at_lines = sum(line.wait_ns for line in one.process.lines if line.tid in tids)
    return max(0, in_calls - at_lines)


def _asked_for(one: ProcessProfile) -> list[Line]:
    """Waits in the program's own code for what somebody asked for; multiplexers of event loops and
    of threads that accept are where the next request comes from."""
    fetch = {*one.loop_threads(), *(tid for tid, row in one.threads.items() if row.accepts.calls)}
    own = [
        line
        for line in one.process.lines
        if _own(line)
        and not waits_for_work(line)
        and not (line.tid in fetch and line.syscall in FAMILIES)
    ]
    return [line for line in own if serves(line.stack)] or own


def _own(line: Line) -> bool:
    return has_own(line.stack)


def _serves(one: ProcessProfile) -> bool:
    return bool(one.listening_ports() or one.total.accepts.calls or one.process.requests)

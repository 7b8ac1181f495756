# SPDX-License-Identifier: Apache-2.0
"""The line of a program's own where most of its time goes, told where no rule says why."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.report.stacks import Line
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.frames import library_frames
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import serves
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import HIGH_SHARE
from iotrace.verdict.work_sources import waits_for_work
from iotrace.vocabulary.calls import FAMILIES

MOSTLY_SHARE = 0.5
"""Of all waits of its calls, at one line: there it is most of the time."""


def own_work_text(family: Sequence[ProcessProfile]) -> str:
    """What a program does all along that nobody asks for anything: a script, a batch; "" where
    somebody asks it for something, or no line of the program's own stands out."""
    if any(map(_serves, family)):
        return ""
    everything = [(sum(line.wait_ns for line in one.process.lines), one) for one in family]
    return _text(family, max(everything, key=lambda item: item[0]))


def costliest_text(family: Sequence[ProcessProfile], least_cpu: float = 0.0) -> str:
    """The same of what somebody asks for: requests, where a server's code tells which lines are of
    those, or jobs. What waits for the next one is no part of it. ``least_cpu``: share of a
    process's time; where it computes for less, that explains nothing."""
    working = [(sum(line.wait_ns for line in _asked_for(one)), one) for one in family]
    most = max(working, key=lambda item: item[0])
    return _text(family, most, asked_for=True, least_cpu=least_cpu)


def jobs_text(family: Sequence[ProcessProfile]) -> str:
    """The same of jobs that nobody is seen to wait for, where they take much of a process's time;
    "" where requests are seen, whose durations are known, or where jobs take little."""
    if any(one.process.requests for one in family):
        return ""
    busiest = max(
        max(one.total.cpu_ns, sum(line.wait_ns for line in _asked_for(one)))
        / max(1, one.total.lifetime_ns)
        for one in family
    )
    return costliest_text(family) if busiest >= HIGH_SHARE else ""


def _text(
    family: Sequence[ProcessProfile],
    waits: tuple[int, ProcessProfile],
    *,
    asked_for: bool = False,
    least_cpu: float = 0.0,
) -> str:
    """ "It waits mostly at job.py:11 export -> wait4: 12 times, 3.7 s, 305 ms at most."."""
    waited, sleeper = waits
    computes = max(family, key=lambda one: one.total.cpu_ns)
    if computes.total.cpu_ns > waited:
        is_little = computes.total.cpu_ns < least_cpu * computes.total.lifetime_ns
        told = () if is_little else busy_lines(computes.process)
        return f"Where it computes most: {told[0].text}." if told else ""
    own = _asked_for(sleeper) if asked_for else [one for one in sleeper.process.lines if _own(one)]
    most = max(own, key=lambda one: one.wait_ns, default=None)
    waited += 0 if asked_for else _at_no_line_ns(sleeper, own)  # else that may be for the next one
    if most is None or most.wait_ns < MOSTLY_SHARE * waited:
        return ""
    told = waiting_lines([most], sleeper.process)
    return f"It waits mostly at {told[0].text}." if told else ""


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
    return len(library_frames(line.stack)) < len(line.stack)


def _serves(one: ProcessProfile) -> bool:
    return bool(one.listening_ports() or one.total.accepts.calls or one.process.requests)

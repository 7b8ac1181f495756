# SPDX-License-Identifier: Apache-2.0
"""What a program does all along that nobody asks for anything: a script, a batch."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import library_frames
from iotrace.verdict.python_lines import waiting_lines

MOSTLY_SHARE = 0.5
"""Of what is known by line, at one of them: there it is most of the time."""


def own_work_text(family: Sequence[ProcessProfile]) -> str:
    """ "It waits mostly at job.py:11 export -> wait4: 12 times, 3.7 s, 305 ms at most."; "" where
    somebody asks it for something, or no line of the program's own stands out."""
    if any(map(_serves, family)):
        return ""
    waits = [(sum(line.wait_ns for line in one.process.lines), one) for one in family]
    waited, sleeper = max(waits, key=lambda item: item[0])
    computes = max(family, key=lambda one: one.total.cpu_ns)
    if computes.total.cpu_ns > waited:
        told = busy_lines(computes.process)
        return f"It computes mostly at {told[0].text}." if told else ""
    own = [one for one in sleeper.process.lines if len(library_frames(one.stack)) < len(one.stack)]
    most = max(own, key=lambda one: one.wait_ns, default=None)
    if most is None or most.wait_ns < MOSTLY_SHARE * waited:
        return ""
    told = waiting_lines([most], sleeper.process)
    return f"It waits mostly at {told[0].text}." if told else ""


def _serves(one: ProcessProfile) -> bool:
    return bool(one.listening_ports() or one.total.accepts.calls or one.process.requests)

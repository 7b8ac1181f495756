# SPDX-License-Identifier: Apache-2.0
"""Sleeps between tries that fail, where a call that fails at once is on no line of its own."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.report.model import Call
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.told_lines import ToldLine
from iotrace.vocabulary.calls import SLEEPS

MOST_TRIES = 2
"""For each sleep: where several addresses are tried before it (localhost: IPv6 and IPv4), or none
follows the last try. With more a thread sleeps for something else."""
MOST_SLEEPS = 1.5
"""For each failure: with more it sleeps for something else as well, and most may be that."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """``waited_ns``: estimated where the thread sleeps more often than it fails."""

    waited_ns: int = 0
    lines: tuple[ToldLine, ...] = ()
    words: str = ""


def pauses_between(row: Call, failed: int, profile: ProcessProfile) -> Pauses:
    """The sleeps of a thread that sleeps about as often as this call of it fails."""
    rows = [one for one in profile.calls.get(row.tid, ()) if one.syscall in SLEEPS]
    sleeps = sum(one.calls or 0 for one in rows)
    if not sleeps or not sleeps / MOST_SLEEPS <= failed <= MOST_TRIES * sleeps:
        return Pauses()
    slept = sum(one.wait_ns for one in rows)
    # A line is of all threads with its stack, and names the latest.
    alike = {one.tid for one in profile.process.calls if one.syscall == row.syscall and one.errors}
    lines = [one for one in profile.process.lines if one.tid in alike and one.syscall in SLEEPS]
    return Pauses(
        int(slept * min(1.0, failed / sleeps)),
        waiting_lines(lines, profile.process),
        f", and the thread sleeps about as often, for {duration(slept / sleeps)} each time",
    )

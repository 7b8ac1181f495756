# SPDX-License-Identifier: Apache-2.0
"""Children that wait for input on their stdin, while their parent waits for their end."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, captures_output
from iotrace.verdict.stuck import Stuck, in_calls
from iotrace.verdict.work_in_progress import below
from iotrace.vocabulary.calls import READS
from iotrace.vocabulary.kinds import PIPES_AND_TERMINALS

_STDIN = 0
_NEARLY_AS_LONG = 0.5
"""Of the time that the parent has waited, that the child has been reading, at least."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A process below the one that waits, and the call in which it reads.

    ``kept_open``: it reads a pipe to the end that its parent could close.
    """

    pid: int
    name: str
    reading: Stuck
    kept_open: bool


def asking_child(one: Stuck, profile: ProcessProfile) -> Asking | None:
    """The process that a thread waits for which itself waits for input.

    Where the child's output is not captured, whoever is at the terminal, or feeds the pipe, sees
    what it asks, and may take their time. A pipe that the parent itself feeds is closed by it some
    day, if another thread is there to do so.
    """
    if one.purpose is not Purpose.CHILD:
        return None
    pid = profile.process.pid
    for child in below(profile):
        for reading in in_calls(child):
            if not _reads_stdin(reading) or reading.held_ns < _NEARLY_AS_LONG * one.held_ns:
                continue
            kept_open = pid in reading.call.others
            alone = len(profile.process.threads) == 1
            if alone if kept_open else (one.serves or captures_output(one.call.stack)):
                return Asking(child.process.pid, child.process.name, reading, kept_open)
    return None


def _reads_stdin(one: Stuck) -> bool:
    call = one.call
    return call.syscall in READS and call.fd == _STDIN and call.kind in PIPES_AND_TERMINALS

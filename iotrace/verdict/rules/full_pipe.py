# SPDX-License-Identifier: Apache-2.0
"""Threads that write to a pipe or a terminal, and wait for whoever reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Line
from iotrace.verdict.frames import library_frames
from iotrace.verdict.number_formats import duration
from iotrace.verdict.pipe_readers import output_name, reader_of
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import HIGH_SHARE, SLEEPS, Hit, Rule
from iotrace.vocabulary.calls import WRITES
from iotrace.vocabulary.kinds import PIPES_AND_TERMINALS

LEAST_SHARE = 0.05
LEAST_WAITED_NS = 50_000_000
"""About two writes to a reader that sleeps between two looks."""
LINES_SHARE = 0.5
"""Of what is waited for pipes, at lines of the program's own: the rest is a library's thread that
feeds its workers as they take what it has (multiprocessing), or writes too short to have a line."""
_FEEDERS = ("/multiprocessing/pool.py", "/multiprocessing/queues.py")
_LOGGING = ("/logging/", "/loguru/", "/structlog/")


def _full(profile: ProcessProfile) -> Iterator[Hit]:
    loops = profile.loop_threads()  # what they block in is IO104's
    calls = [
        one
        for one in profile.process.calls
        if one.syscall in WRITES and one.kind in PIPES_AND_TERMINALS and one.tid not in loops
    ]
    waited = sum(one.wait_ns for one in calls)
    if waited < max(LEAST_WAITED_NS, LEAST_SHARE * profile.wall_ns):
        return
    lines = [
        one
        for one in profile.process.lines
        if one.syscall in WRITES and one.kind in PIPES_AND_TERMINALS and one.tid not in loops
    ]
    own = [one for one in lines if _is_own(one)]
    at_lines = sum(one.wait_ns for one in own)
    if at_lines < LINES_SHARE * waited:
        return
    worst = max(own, key=lambda one: one.wait_ns)
    tids = {one.tid for one in own}
    reader = reader_of(profile, worst.fd, worst.kind)
    its = f"{reader}, its reader" if reader else "its reader"
    output = output_name(profile, worst.fd, worst.kind)
    yield Hit(
        {
            "waited_ns": waited,
            **profile.count_of(*calls),
            "longest_ns": max(one.max_ns for one in own),
            "threads": len(tids),
            **({"reader": reader} if reader else {}),
        },
        waited,
        worst.tid or None if len(tids) == 1 else None,
        worst.fd,
        severity=None if _holds_up(profile, own) else "low",
        lines=waiting_lines(own, profile.process),
        title=f"Writes to {output} wait for {its}, which takes what is "
        f"written too slowly: {duration(waited)} in all",
    )


def _is_own(line: Line) -> bool:
    """Not what a worker of multiprocessing hands back: its outermost frame is where the program
    has forked it."""
    inner = library_frames(line.stack)
    feeds = any(frame.file.endswith(_FEEDERS) for frame in inner)
    return not feeds and len(inner) < len(line.stack)


def _holds_up(profile: ProcessProfile, lines: Sequence[Line]) -> bool:
    """Requests, or what it logs on the way: a batch that hands its results to the next program may
    well be the quicker of the two."""
    if profile.process.requests:
        return True
    logs = [one for one in lines if any(mark in at.file for at in one.stack for mark in _LOGGING)]
    return sum(one.wait_ns for one in logs) >= HIGH_SHARE * profile.wall_ns


FULL = Rule(
    "IO212",
    "Writes to a pipe wait for its reader",
    "A pipe holds 64 KiB; who writes to a full one sleeps until its reader takes something. See "
    "who reads it (lsof +E -p PID names both ends) and why that is slow: a log collector, a "
    "container's log driver, a supervisor, less. Log by way of logging.handlers.QueueHandler and "
    "QueueListener, log less, or send the output to a file that a collector reads.",
    _full,
    explains=SLEEPS,
)

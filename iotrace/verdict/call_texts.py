# SPDX-License-Identifier: Apache-2.0
"""How a call and its other end are told: "recvfrom from 10.0.0.7:443", "accept4 on :8000"."""

from __future__ import annotations

from iotrace.report.stacks import InCall, Line
from iotrace.verdict.told_lines import frame_text
from iotrace.vocabulary.calls import CONNECTS, FILE_CALLS, READS, SLEEPS, WRITES


def preposition(syscall: str) -> str:
    """A read is from its other end, a write or connect to it; a file is looked at, opened or synced
    (that of it); anything else is on it."""
    if syscall in FILE_CALLS:
        return "of"
    if syscall in READS:
        return "from"
    return "to" if syscall in WRITES | CONNECTS else "on"


def call_text(syscall: str, other_end: str) -> str:
    """The call alone where the other end is not known ("")."""
    return f"{syscall} {preposition(syscall)} {other_end}" if other_end else syscall


def library_text(one: InCall | Line) -> str:
    """ " (in urllib3/util/retry.py:363 sleep)": the library that sleeps in the program's name."""
    if one.syscall not in SLEEPS or one.own <= 0 or not one.stack:
        return ""
    return f" (in {frame_text(one.stack[0])})"

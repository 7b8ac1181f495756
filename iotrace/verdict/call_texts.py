# SPDX-License-Identifier: Apache-2.0
"""How a call and its other end are told: "recvfrom from 10.0.0.7:443", "accept4 on :8000"."""

from __future__ import annotations

from iotrace.vocabulary.calls import CONNECTS, READS, WRITES


def preposition(syscall: str) -> str:
    """A read is from its other end, a write or connect to it; anything else is on it."""
    if syscall in READS:
        return "from"
    return "to" if syscall in WRITES | CONNECTS else "on"


def call_text(syscall: str, other_end: str) -> str:
    """The call alone where the other end is not known ("")."""
    return f"{syscall} {preposition(syscall)} {other_end}" if other_end else syscall

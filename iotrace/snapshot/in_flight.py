"""What a thread was in the middle of when it was read: charged up to that moment.

Pure: record members in, charges out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iotrace.engine.constants import State


@dataclass(frozen=True, slots=True)
class InFlight:
    """Nanoseconds since the last event, by what the thread was doing; at most two are not 0."""

    user_ns: int = 0
    kernel_ns: int = 0
    copy_ns: int = 0
    runq_ns: int = 0
    unaccounted_ns: int = 0
    asleep_ns: int = 0


def charge(record: Mapping[str, Any], now_ns: int) -> InFlight:
    """The time from the record's last charge to ``now_ns``. Nothing for an ended thread."""
    elapsed = max(0, now_ns - record["since_ns"])
    state = record["state"]
    if state == State.DEAD:
        return InFlight()
    if state == State.SLEEP:
        woken = record["woken_ns"]
        asleep = elapsed if woken <= record["since_ns"] else woken - record["since_ns"]
        asleep = min(asleep, elapsed)
        return InFlight(asleep_ns=asleep, runq_ns=elapsed - asleep)
    if state == State.RUNQ:
        return InFlight(runq_ns=elapsed)
    if state == State.KERNEL:
        return InFlight(kernel_ns=elapsed)
    if state == State.COPY:
        return InFlight(copy_ns=elapsed)
    # UNKNOWN is a thread that was on a CPU at attach and has not made a call or left the CPU
    # since: it computes.
    return InFlight(user_ns=elapsed)

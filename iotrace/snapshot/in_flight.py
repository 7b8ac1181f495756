# SPDX-License-Identifier: Apache-2.0
"""What a thread was in the middle of when it was read: charged up to that moment.

Pure: record members in, charges out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from iotrace.engine.constants import WAKE_RACE_NS, State


@dataclass(frozen=True, slots=True)
class InFlight:
    """Nanoseconds since the last event, by what the thread was doing; at most three are not 0."""

    user_ns: int = 0
    kernel_ns: int = 0
    copy_ns: int = 0
    runq_ns: int = 0
    asleep_ns: int = 0


_U32, _NEGATIVE = (1 << 32) - 1, 1 << 31
SUSPICIOUS_NS = 2_000_000
"""Ready for longer than this: ask the scheduler whether it has not been running meanwhile."""


def ready_for_ns(record: Mapping[str, Any], now_ns: int) -> int:
    """How long the record says that its thread has been ready to run; 0: it is not."""
    if record["state"] == State.RUNQ:
        return max(0, now_ns - int(record["since_ns"]))
    if record["state"] == State.SLEEP:
        elapsed = max(0, now_ns - int(record["since_ns"]))
        return elapsed - _slept(record, elapsed)
    return 0


def _slept(record: Mapping[str, Any], elapsed: int) -> int:
    """How much of ``elapsed`` since it went to sleep it slept: probes/ledger.c, slept()."""
    woken, since = int(record["woken_ns"]), int(record["since_ns"])
    if woken > since:
        return min(woken - since, elapsed)
    raced = woken > record["switched_in_ns"] and since - woken < WAKE_RACE_NS
    return 0 if raced else elapsed


def idle_ns(record: Mapping[str, Any], asleep_ns: int) -> int:
    """How much of a sleep in flight nobody waits for: probes/ledger.c, idle()."""
    in_hand = (record["taken"] - record["answered"] - record["given"]) & _U32
    if 0 < in_hand < _NEGATIVE:
        return 0
    wanted = int(record["wanted_ns"]) - int(record["since_ns"])
    return min(wanted, asleep_ns) if wanted >= 0 else asleep_ns


def charge(record: Mapping[str, Any], now_ns: int, run_delay_ns: int | None = None) -> InFlight:
    """The time from the record's last charge to ``now_ns``. Nothing for an ended thread.

    ``run_delay_ns``: the scheduler's own sum of the thread's run-queue time by now, where it was
    asked. Some kernels hide the switches of some tasks; that sum has grown if it has run since.
    """
    elapsed = max(0, now_ns - record["since_ns"])
    state = record["state"]
    if state == State.DEAD:
        return InFlight()
    if state not in (State.SLEEP, State.RUNQ):
        return _running(state, elapsed)
    asleep = _slept(record, elapsed) if state == State.SLEEP else 0
    ready = elapsed - asleep
    if run_delay_ns is not None and run_delay_ns > record["run_delay_ns"]:
        seen = min(ready, run_delay_ns - record["run_delay_ns"])
        # The scheduler's clock is coarser: a little less is no sign of having run.
        ready = seen if ready - seen > SUSPICIOUS_NS else ready
    running = _running(record["resume_state"], elapsed - asleep - ready)
    return replace(running, asleep_ns=asleep, runq_ns=ready)


def _running(state: int, elapsed: int) -> InFlight:
    if state == State.KERNEL:
        return InFlight(kernel_ns=elapsed)
    if state == State.COPY:
        return InFlight(copy_ns=elapsed)
    # UNKNOWN is a thread that was on a CPU at attach and has not made a call or left the CPU
    # since: it computes.
    return InFlight(user_ns=elapsed)

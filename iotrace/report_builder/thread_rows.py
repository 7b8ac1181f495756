# SPDX-License-Identifier: Apache-2.0
"""Thread rows: where each thread's wall time went."""

from __future__ import annotations

from iotrace.report.model import States, Switches, Thread
from iotrace.report.stacks import InCall
from iotrace.snapshot.totals import ThreadKey, ThreadTotals
from iotrace.vocabulary.waits import WAIT_REASONS, WAITS

UNTOLD_SHARE = 0.05
"""Of the requests: with more signs than that nothing tells when a thread has one in hand."""


def thread_row(
    key: ThreadKey, totals: ThreadTotals, from_ns: int, in_call: InCall | None = None
) -> Thread:
    """One row; its states add up to its lifetime. Times are relative to ``from_ns``.

    A thread that ran before it was followed has begun at 0, though it was entered a little later.
    """
    return Thread(
        tid=key.tid,
        name=totals.name,
        lifetime_ns=totals.lifetime_ns,
        states_ns=States(
            user=totals.user_ns,
            kernel=totals.kernel_ns,
            copy=totals.copy_ns,
            runq=totals.runq_ns,
            unaccounted=totals.unaccounted_ns,
            wait=dict(zip(WAIT_REASONS, totals.wait_ns, strict=True)),
        ),
        switches=Switches(voluntary=totals.voluntary, involuntary=totals.involuntary),
        syscalls=totals.syscalls,
        started_ns=0 if totals.found else max(0, key.started_ns - from_ns),
        ended_ns=None if totals.ended_ns is None else totals.ended_ns - from_ns,
        count=totals.count,
        in_call=in_call,
        idle_ns=_idle_ns(totals),
        requests=totals.taken,
    )


def _idle_ns(totals: ThreadTotals) -> dict[str, int] | None:
    """A thread that waits for a disk between two requests is not there for the next one."""
    if not totals.taken or totals.untold > UNTOLD_SHARE * totals.taken:
        return None
    return {
        reason.name: ns
        for reason, ns in zip(WAITS, totals.idle_ns, strict=True)
        if ns and reason.brings_work
    }

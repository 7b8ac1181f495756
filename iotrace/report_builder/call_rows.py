# SPDX-License-Identifier: Apache-2.0
"""Call rows: how often, how long, and in which phase."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from iotrace.report.model import Call, Percentiles, Phase
from iotrace.snapshot.histogram import percentile_ns, used
from iotrace.snapshot.totals import CallTotals

_RESTARTS = {
    512: "ERESTARTSYS",
    513: "ERESTARTNOINTR",
    514: "ERESTARTNOHAND",
    516: "ERESTART_RESTARTBLOCK",
}
"""include/linux/errno.h: a signal took the thread out of the call. The program never sees these:
the call is made again, or they become EINTR."""


def error_name(number: int) -> str:
    """ "ECONNRESET", or "ERESTARTSYS" where a signal came, as strace has it."""
    return errno.errorcode.get(number) or _RESTARTS.get(number, f"errno {number}")


def call_row(tid: int, syscall: str, kind: str, totals: CallTotals) -> Call:
    """One row. ``total_ns`` is the sum of its phases."""
    errors = {"EAGAIN": totals.eagain} if totals.eagain else {}
    errors |= {error_name(number): count for number, count in totals.errors.items() if count}
    return Call(
        tid=tid,
        syscall=syscall,
        kind=kind,
        calls=totals.calls,
        errors=errors,
        bytes=totals.bytes,
        total_ns=totals.wait_ns + totals.runq_ns + totals.copy_ns + totals.kernel_ns,
        wait_ns=totals.wait_ns,
        runq_ns=totals.runq_ns,
        copy_ns=totals.copy_ns,
        kernel_ns=totals.kernel_ns,
        copy_estimated=totals.estimated > 0,
        latency_ns=percentiles(totals.latency, totals.max_ns)
        if totals.calls or totals.sleeps
        else None,
        in_flight=totals.in_flight,
        filled=totals.filled,
        gil_waits=totals.gil_waits,
        gil_ns=totals.gil_ns,
        waits_ns=_phase(totals.wait, totals.max_ns),
        copies_ns=_phase(totals.copy, totals.max_ns),
        sleeps=totals.sleeps or None,
    )


def percentiles(counts: Sequence[int], max_ns: int) -> Percentiles:
    """Of a histogram, with its exact maximum."""
    p50, p90, p99, p999 = (
        percentile_ns(counts, share, max_ns) for share in (0.5, 0.9, 0.99, 0.999)
    )
    histogram = used(counts, max_ns)
    return Percentiles(p50=p50, p90=p90, p99=p99, p999=p999, max=max_ns, histogram=histogram)


def _phase(counts: Sequence[int], max_ns: int) -> Phase | None:
    """``max_ns``: of the whole call, which no part of it exceeds."""
    if not any(counts):
        return None
    return Phase(
        count=sum(counts),
        p50=percentile_ns(counts, 0.5, max_ns),
        p99=percentile_ns(counts, 0.99, max_ns),
        histogram=used(counts, max_ns),
    )

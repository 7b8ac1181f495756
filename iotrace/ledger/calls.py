"""Call rows: how often, how long, and in which phase."""

from __future__ import annotations

import errno

from iotrace.report.model import Call, Percentiles
from iotrace.snapshot.histogram import percentile_ns
from iotrace.snapshot.model import CallTotals

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
        latency_ns=_percentiles(totals) if totals.calls or totals.sleeps else None,
        in_flight=totals.in_flight,
        filled=totals.filled,
        gil_waits=totals.gil_waits,
        gil_ns=totals.gil_ns,
        sleeps=totals.sleeps or None,
    )


def _percentiles(totals: CallTotals) -> Percentiles:
    p50, p90, p99, p999 = (
        percentile_ns(totals.latency, share, totals.max_ns) for share in (0.5, 0.9, 0.99, 0.999)
    )
    return Percentiles(p50=p50, p90=p90, p99=p99, p999=p999, max=totals.max_ns)

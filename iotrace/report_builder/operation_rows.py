# SPDX-License-Identifier: Apache-2.0
"""Asynchronous operations: what was submitted to io_uring and how long it took."""

from __future__ import annotations

from iotrace.report.model import Operation, Quantiles
from iotrace.snapshot.histogram import percentile_ns, used
from iotrace.snapshot.totals import OperationTotals
from iotrace.vocabulary.operations import RING_TRANSFERS, operation_name


def operation_row(opcode: int, totals: OperationTotals) -> Operation:
    """One row. Only operations that move data return bytes."""
    name = operation_name(opcode)
    counts = totals.submit_to_complete
    return Operation(
        op=name,
        count=totals.completed,
        errors={"any": totals.errors} if totals.errors else {},
        bytes=totals.bytes if name in RING_TRANSFERS else 0,
        submit_to_complete_ns=Quantiles(
            p50=percentile_ns(counts, 0.5, totals.max_ns),
            p99=percentile_ns(counts, 0.99, totals.max_ns),
            max=totals.max_ns,
            histogram=used(counts, totals.max_ns),
        )
        if totals.completed
        else None,
    )

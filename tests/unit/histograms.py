"""Hand-made histograms for the hand-made reports."""

from __future__ import annotations

import math

from iotrace.report.model import Bucket, Phase
from iotrace.snapshot.histogram import BUCKETS, COARSE_BUCKETS, bounds_ns


def spread(around_ns: int, count: int, *, coarse: bool = False) -> tuple[Bucket, ...]:
    """A histogram of about that many around a time, most of them within a factor of two."""
    bounds = [
        bounds_ns(bucket, 2 if coarse else 3)
        for bucket in range(COARSE_BUCKETS if coarse else BUCKETS)
    ]
    return tuple(
        (low, high, part)
        for low, high in bounds
        if (part := int(count / 5 * math.exp(-(math.log2(high / max(around_ns, 64)) ** 2))))
    )


def phase(total_ns: int, count: int) -> Phase | None:
    """What each of so many calls took in a phase; None where no time was spent in it."""
    mean = total_ns // count if count else 0
    return Phase(count, mean // 2, mean * 4, spread(mean, count, coarse=True)) if mean else None

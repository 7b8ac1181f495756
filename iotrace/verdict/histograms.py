# SPDX-License-Identifier: Apache-2.0
"""Sums of times that a report keeps as histograms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from iotrace.report.times import Bucket, Durations


def total_ns(times: Durations) -> int:
    """Of all of them, by the middles of the histogram's buckets."""
    if not times.histogram:
        return times.count * times.p50
    return sum(min((low + high) // 2, times.max) * count for low, high, count in times.histogram)


def summed(histograms: Iterable[tuple[Bucket, ...]]) -> tuple[Bucket, ...]:
    """Histograms of the same buckets as one, from the shortest time on."""
    counts = Counter[tuple[int, int]]()
    for buckets in histograms:
        for low, high, count in buckets:
            counts[low, high] += count
    return tuple((low, high, count) for (low, high), count in sorted(counts.items()))

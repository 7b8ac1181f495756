# SPDX-License-Identifier: Apache-2.0
"""Log-linear histograms: the reading side of probes/histogram.h.

8 buckets per power of two from 64 ns to 68.7 s. The middle of a bucket is within 6.3 % of any
value in it (3.2 % in the finer histograms of 16 buckets, 12.5 % in the coarser ones of 4
buckets per power of two, 25 % in those of 2).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

FIRST_OCTAVE = 6
LAST_OCTAVE = 35
SUB_BITS = 3
BUCKETS = (LAST_OCTAVE - FIRST_OCTAVE + 1) << SUB_BITS
COARSE_BUCKETS = BUCKETS >> 1
LINE_BUCKETS = BUCKETS >> 2
FINE_BUCKETS = BUCKETS << 1
FINE_SUB_BITS = SUB_BITS + 1


def bounds_ns(bucket: int, sub_bits: int = SUB_BITS) -> tuple[int, int]:
    """[low, high) of a bucket. The first one begins at 0; the last one holds all that is larger."""
    octave, sub = divmod(bucket, 1 << sub_bits)
    width = 1 << (FIRST_OCTAVE + octave - sub_bits)
    low = (1 << (FIRST_OCTAVE + octave)) + sub * width
    return (0 if bucket == 0 else low), low + width


_SUB_BITS = {
    FINE_BUCKETS: FINE_SUB_BITS,
    BUCKETS: SUB_BITS,
    COARSE_BUCKETS: SUB_BITS - 1,
    LINE_BUCKETS: SUB_BITS - 2,
}
_BOUNDS = {
    count: [bounds_ns(bucket, sub_bits) for bucket in range(count)]
    for count, sub_bits in _SUB_BITS.items()
}


def used(counts: Sequence[int], max_ns: int) -> tuple[tuple[int, int, int], ...]:
    """(low, high, count) of each bucket that is not empty; the last one ends after ``max_ns``."""
    bounds = _BOUNDS[len(counts)]
    found = [(*bounds[index], count) for index, count in enumerate(counts) if count]
    if found and counts[-1]:
        low, high, count = found[-1]
        found[-1] = low, max(high, max_ns + 1), count
    return tuple(found)


def percentile_ns(counts: Sequence[int], share: float, max_ns: int) -> int:
    """The value below which ``share`` of the samples lie, never above the exact ``max_ns``.

    0 where there are no samples. Where only the largest sample will do (p99 of fewer than a
    hundred), it is ``max_ns``.
    """
    total = sum(counts)
    if total and share * total > total - 1:
        return max_ns
    sub_bits = _SUB_BITS[len(counts)]
    rank, seen = share * total, 0
    last = 0
    for bucket, count in enumerate(counts):
        if not count:
            continue
        seen += count
        last = bucket
        if seen >= rank:
            break
    if not total:
        return 0
    low, high = bounds_ns(last, sub_bits)
    if last == len(counts) - 1:
        return max_ns
    return min((low + high) // 2, max_ns)


def highest_ns(counts: Sequence[int], max_ns: int) -> int:
    """An estimate of the largest sample: the top of the highest bucket in use, at most max_ns."""
    sub_bits = _SUB_BITS[len(counts)]
    for bucket in range(len(counts) - 1, -1, -1):
        if counts[bucket]:
            return min(bounds_ns(bucket, sub_bits)[1], max_ns)
    return 0


def add(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    """Bucket by bucket."""
    if len(one) != len(other):
        raise ValueError("histograms of different buckets")
    if not any(other):  # most are of the waits and the copies of calls that do neither
        return tuple(one)
    return tuple(map(operator.add, one, other))


def subtract(later: Sequence[int], earlier: Sequence[int]) -> tuple[int, ...]:
    """Bucket by bucket."""
    if len(later) != len(earlier):
        raise ValueError("histograms of different buckets")
    return tuple(map(operator.sub, later, earlier))

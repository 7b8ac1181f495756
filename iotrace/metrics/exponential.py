# SPDX-License-Identifier: Apache-2.0
"""Exponential histograms, as OpenTelemetry defines them: of seconds, at scale 3.

Their buckets end at powers of 2^(1/8) seconds, those of requests in a report at sixteenths of
a power of two of nanoseconds. Neither are edges of the other, so that a report's bucket goes as a
whole to the one in which its middle lies: no count is divided, and a value is at most one bucket
(9 %) off.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import NamedTuple

SCALE = 3
_NS = 1e9


class Run(NamedTuple):
    """Counts of neighbouring buckets: the first one begins beyond 2^(``offset`` / 8) seconds."""

    offset: int
    counts: tuple[int, ...]


@functools.cache
def index_of(from_ns: int, to_ns: int) -> int:
    """Where what lies in [from_ns, to_ns) goes: bucket i is (2^(i/8), 2^((i+1)/8)] seconds."""
    return math.ceil(math.log2((from_ns + to_ns) / 2 / _NS) * (1 << SCALE)) - 1


def run_of(counts: Mapping[int, int]) -> Run:
    """All buckets from the first to the last that is not empty."""
    if not counts:
        return Run(0, ())
    first, last = min(counts), max(counts)
    return Run(first, tuple(counts.get(index, 0) for index in range(first, last + 1)))

# SPDX-License-Identifier: Apache-2.0
"""Percentiles and histograms of times: a part of the report's model."""

from __future__ import annotations

from dataclasses import dataclass

Bucket = tuple[int, int, int]
"""A bucket of a histogram: [from_ns, to_ns, count]; so many were in [from_ns, to_ns)."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of a log-linear histogram (each within 7 %); ``max`` is exact.

    ``histogram``: its buckets that are not empty, as [from_ns, to_ns, count]; samples of a
    recording, and files of older versions, have none.
    """

    p50: int
    p90: int
    p99: int
    p999: int
    max: int
    histogram: tuple[Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """How long each call was in one phase, of the ``count`` calls that were in it at all.

    Percentiles are within 13 %; ``histogram`` as in ``Percentiles``.
    """

    count: int
    p50: int
    p99: int
    histogram: tuple[Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class Pickup:
    """Delay from data-ready on a socket to the start of the copy that takes the data.

    ``histogram`` as in ``Percentiles``; a descriptor's own has none, its process's has.
    """

    count: int
    p50: int
    p99: int
    max: int
    histogram: tuple[Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class Quantiles:
    """What a loop's lag and the time of an io_uring operation are told in.

    ``histogram`` as in ``Percentiles``.
    """

    p50: int
    p99: int
    max: int
    histogram: tuple[Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class Durations:
    """Percentiles of ``count`` times (each within 4 %); ``max`` is exact.

    ``histogram`` as in ``Percentiles``.
    """

    count: int
    p50: int
    p90: int
    p99: int
    p999: int
    max: int
    histogram: tuple[Bucket, ...] = ()

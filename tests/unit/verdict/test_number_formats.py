# SPDX-License-Identifier: Apache-2.0
"""Figures as sentences have them: three digits, and no exponents where they are large."""

from __future__ import annotations

import pytest

from iotrace.verdict.number_formats import duration, figure
from tests.unit.verdict.made import MS, US, S


@pytest.mark.parametrize(
    ("ns", "told"),
    [
        (0, "0 ms"), (1, "1 ns"), (62_500, "62.5 us"), (201 * MS, "201 ms"),
        (999_400 * US, "999 ms"), (999_600 * US, "1 s"), (999_600, "1 ms"),
        (61_800 * MS, "61.8 s"), (999 * S, "999 s"), (1_000 * S, "1,000 s"),
        (1_234 * S, "1,230 s"), (86_400 * S, "86,400 s"),
    ],
)  # fmt: skip
def test_a_duration_is_in_the_unit_that_keeps_it_below_a_thousand(ns: int, told: str) -> None:
    assert duration(ns) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (0.1234, "0.123"), (12.34, "12.3"), (999.4, "999"), (999.6, "1,000"),
     (1_040.3, "1,040"), (123_456, "123,000")],
)  # fmt: skip
def test_a_large_rate_has_no_exponent(value: float, told: str) -> None:
    assert figure(value) == told

"""Figures at the borders of their units."""

import pytest

from iotrace.output.units import (
    compact,
    format_count,
    format_duration,
    format_percent,
    format_share,
    format_size,
    plural,
)

US, MS, S = 1_000, 1_000_000, 1_000_000_000


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [
        (None, "n/a"),
        (0, "0"),
        (0.3, "<1 ns"),
        (1, "1 ns"),
        (430, "430 ns"),
        (999, "999 ns"),
        (999.9, "1.00 us"),
        (1 * US, "1.00 us"),
        (9_994, "9.99 us"),
        (9_996, "10.0 us"),
        (99_949, "99.9 us"),
        (99_951, "100 us"),
        (812 * US, "812 us"),
        (999_499, "999 us"),
        (999_500, "1.00 ms"),
        (50_100 * US, "50.1 ms"),
        (999_500 * US, "1.00 s"),
        (1_240 * MS, "1.24 s"),
        (999 * S, "999 s"),
        (999_600 * MS, "16.7 min"),
        (3_600 * S, "60.0 min"),
        (60_000 * S, "16.7 h"),
        (3_600_000 * S * 2, "2,000 h"),
        (-50_100 * US, "-50.1 ms"),
    ],
)
def test_duration(nanoseconds: float | None, shown: str) -> None:
    assert format_duration(nanoseconds) == shown


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (None, "n/a"),
        (0, "0"),
        (1, "1 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1536, "1.50 KiB"),
        (1023 * 1024, "1023 KiB"),
        (1024 * 1024 - 1, "1.00 MiB"),
        (48 * 1024**2 + 200_000, "48.2 MiB"),
        (3 * 1024**3, "3.00 GiB"),
        (5_000 * 1024**4, "5,000 TiB"),
        (-512, "-512 B"),
    ],
)
def test_size(octets: int | None, shown: str) -> None:
    assert format_size(octets) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (None, "n/a"),
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1_000, "1,000"),
        (99_999, "99,999"),
        (100_000, "100 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (12_345_678, "12.3 M"),
        (5_000_000_000, "5.00 G"),
        (3_000 * 10**12, "3,000 T"),
        (-23, "-23"),
    ],
)
def test_count(number: int | None, shown: str) -> None:
    assert format_count(number) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (None, 5, "n/a"),
        (0, 5, "0"),
        (0, 0, "0"),
        (3, 0, "0"),
        (5, 5, "100"),
        (1, 2, "50.0"),
        (987, 1000, "98.7"),
        (1, 1_000_000_000, "<0.1"),
        (999, 1_000_000, "<0.1"),
        (1, 1000, "0.1"),
        (999, 1000, "99.9"),
        (99_901, 100_000, ">99.9"),
        (999_999_999, 1_000_000_000, ">99.9"),
        (6, 5, "120.0"),
        (-1, 4, "-25.0"),
    ],
)
def test_share(part: float | None, whole: float, shown: str) -> None:
    assert format_share(part, whole) == shown


def test_percent_has_its_sign() -> None:
    assert format_percent(987, 1000) == "98.7 %"
    assert format_percent(1, 1_000_000) == "<0.1 %"
    assert format_percent(0, 1000) == "0 %"
    assert format_percent(None, 1000) == "n/a"


def test_no_time_takes_more_than_eight_columns() -> None:
    for power in range(12):
        for digits in (1, 9, 99, 949, 999, 9_949, 9_951, 9_994, 9_996):
            shown = format_duration(digits * 10**power)
            assert len(shown) <= len("16.7 min"), shown
            assert not shown.startswith("1000"), shown


def test_compact() -> None:
    assert compact("50.1 ms") == "50.1ms"
    assert compact("48.2 MiB") == "48.2M"
    assert compact("1023 B") == "1023B"
    assert compact("~2.71 us") == "~2.71us"
    assert compact("12,345+1") == "12,345+1"


def test_plural() -> None:
    assert plural(0, "call") == "0 calls"
    assert plural(1, "call") == "1 call"
    assert plural(1_009, "call") == "1,009 calls"

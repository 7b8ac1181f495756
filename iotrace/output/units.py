# SPDX-License-Identifier: Apache-2.0
"""Figures as people read them: three digits and a unit. Pure functions of one figure each.

Only an exact zero is ``0``; what is not known is ``n/a``.
"""

from __future__ import annotations

ZERO = "0"
UNKNOWN = "n/a"

_TIMES = (
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
)
_SIZES = tuple((unit, 1024**power) for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB")))
_COUNTS = tuple((unit, 1000**power) for power, unit in enumerate(("k", "M", "G", "T"), start=1))

# Counts are exact up to here: six columns at most, and a known workload can be checked.
_EXACT = 100_000


def format_duration(nanoseconds: float | None) -> str:
    """A time: ``1.24 s``, ``50.1 ms``, ``812 us``, ``430 ns``, ``16.7 min``."""
    if nanoseconds is None or nanoseconds == 0:
        return UNKNOWN if nanoseconds is None else ZERO
    if nanoseconds < 0:
        return f"-{format_duration(-nanoseconds)}"
    if nanoseconds < 0.5:
        return "<1 ns"
    return _scaled(nanoseconds, _TIMES)


def format_size(octets: int | None) -> str:
    """A number of bytes: ``512 B``, ``1.50 KiB``, ``48.2 MiB`` (1 KiB = 1024 B)."""
    if octets is None or octets == 0:
        return UNKNOWN if octets is None else ZERO
    if octets < 0:
        return f"-{format_size(-octets)}"
    return _scaled(octets, _SIZES, limit=1024)


def format_count(number: int | None) -> str:
    """A number of things: exact with separators up to 99,999, then ``123 k``, ``1.23 M``."""
    if number is None or number == 0:
        return UNKNOWN if number is None else ZERO
    if number < 0:
        return f"-{format_count(-number)}"
    return f"{number:,}" if number < _EXACT else _scaled(number, _COUNTS)


def format_share(part: float | None, whole: float) -> str:
    """``part`` in hundredths of ``whole``, bare: ``98.7``, ``<0.1``, ``>99.9``, ``100``.

    Only a true zero is ``0`` and only the whole is ``100``.
    """
    if part is None:
        return UNKNOWN
    if part == 0 or whole == 0:
        return ZERO
    percents = 100 * part / whole
    if percents < 0:
        return f"-{format_share(-part, whole)}"
    if part == whole:
        return "100"
    if percents < 0.1:
        return "<0.1"
    if 99.9 < percents < 100:
        return ">99.9"
    return f"{percents:.1f}"


def format_percent(part: float | None, whole: float) -> str:
    """``format_share`` with its sign: ``98.7 %``, ``<0.1 %``, ``0 %``; ``n/a`` stays bare."""
    bare = format_share(part, whole)
    return bare if bare == UNKNOWN else f"{bare} %"


def compact(figure: str) -> str:
    """The same figure in the fewest columns: ``50.1ms``, ``48.2M`` (bytes), ``123k``."""
    return figure.replace(" ", "").replace("iB", "")


def plural(number: int, thing: str) -> str:
    """``1 thread``, ``12 threads``, ``0 threads``; ``2 processes``."""
    ending = "" if number == 1 else "es" if thing.endswith("s") else "s"
    return f"{format_count(number)} {thing}{ending}"


def _scaled(figure: float, units: tuple[tuple[str, int], ...], limit: int = 1000) -> str:
    """The figure in the first unit in which it stays below ``limit`` *as printed*.

    So 999.9 ns is ``1.00 us`` and never ``1000 ns``.
    """
    for name, one in units:
        printed = f"{figure:.0f}" if one == 1 else _three_digits(figure / one)
        if float(printed) < limit:
            return f"{printed} {name}"
    name, one = units[-1]
    return f"{figure / one:,.0f} {name}"


def _three_digits(number: float) -> str:
    for decimals in (2, 1):
        printed = f"{number:.{decimals}f}"
        if len(printed) <= len("9.99"):
            return printed
    return f"{number:.0f}"

# SPDX-License-Identifier: Apache-2.0
"""Cells of the pages' tables, and columns that several pages have."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.live.styled_lines import Column, figures
from iotrace.output.naming import name_tid
from iotrace.output.units import (
    UNKNOWN,
    compact,
    format_count,
    format_duration,
    format_share,
    format_size,
)

NONE = "-"


def pid(pids: Sequence[int]) -> list[Column]:
    """Of the process, where there are several."""
    return [figures("pid", [name_tid(pid) for pid in pids])] if len(set(pids)) > 1 else []


def if_any(title: str, numbers: Sequence[int], *, spare: int) -> list[Column]:
    """A column of numbers, where there is one."""
    return [figures(title, [count(one) for one in numbers], spare=spare)] if any(numbers) else []


def count(number: int) -> str:
    """Exact, or nothing."""
    return format_count(number) if number else NONE


def rate(per_s: float | None) -> str:
    """So many a second."""
    if per_s is None:
        return UNKNOWN
    if 0 < per_s < 10:
        return f"{per_s:.1f}"
    return format_count(round(per_s)) if per_s else NONE


def bytes_rate(rate: float | None) -> str:
    """Bytes a second."""
    if rate is None:
        return UNKNOWN
    return compact(format_size(round(rate))) if rate >= 1 else NONE


def share(part: float) -> str:
    """0 to 1, in hundredths."""
    return format_share(part, 1.0) if part else NONE


def time(time_ns: float | None) -> str:
    """A time in few columns."""
    return compact(format_duration(time_ns)) if time_ns is not None else NONE

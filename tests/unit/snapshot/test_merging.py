"""How a field adds and subtracts is said in its type, or its class can't be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest

from iotrace.snapshot import histogram
from iotrace.snapshot.merging import (
    Counts,
    Histogram,
    Maximum,
    Members,
    State,
    Total,
    add,
    add_all,
    at_maximum,
    count_unlike,
    maximum_of,
    mergeable,
    owned_tables,
    subtract,
)
from iotrace.snapshot.snapshot import TABLES, Snapshot

_LOW = 3


def _buckets(**counts: int) -> tuple[int, ...]:
    values = [0] * histogram.BUCKETS
    for bucket, count in counts.items():
        values[int(bucket.removeprefix("b"))] = count
    return tuple(values)


@mergeable
@dataclass(frozen=True, slots=True)
class _Totals:
    name: State[bytes]
    bytes: Total
    threads: Members
    largest: Maximum
    where: Annotated[str, at_maximum("largest")]
    errors: Counts
    max_ns: Annotated[int, maximum_of("latency")]
    latency: Histogram


_EARLIER = _Totals(b"a", 3, 1, 5, "early", {11: 2}, 900, _buckets(b3=1))
_LATER = _Totals(b"b", 13, 2, 7, "late", {11: 3, 32: 1}, 2_000, _buckets(b3=4, b40=1))


def test_each_field_adds_by_its_rule() -> None:
    assert add(_EARLIER, _LATER) == _Totals(
        b"a", 16, 3, 7, "late", {11: 5, 32: 1}, 2_000, _buckets(b3=5, b40=1)
    )
    assert add_all([_EARLIER, _LATER, _LATER]).bytes == 3 + 13 + 13


def test_each_field_subtracts_by_its_rule() -> None:
    assert subtract(_LATER, _EARLIER) == _Totals(
        b"b", 10, 2, 7, "late", {11: 1, 32: 1}, 2_000, _buckets(b3=3, b40=1)
    )


def test_a_maximum_that_has_not_grown_is_estimated_by_its_histogram() -> None:
    later = _Totals(b"b", 13, 2, 7, "late", {}, 900, _buckets(b3=4))
    assert subtract(later, _EARLIER).max_ns == histogram.bounds_ns(_LOW)[1]


def test_a_field_without_a_rule_is_an_error_that_names_it() -> None:
    @dataclass(frozen=True)
    class Totals:
        calls: Total
        bytes: int

    with pytest.raises(TypeError, match=r"test_merging, .*Totals\.bytes has no rule"):
        mergeable(Totals)


def test_a_maximum_must_be_that_of_a_histogram() -> None:
    @dataclass(frozen=True)
    class Totals:
        calls: Total
        max_ns: Annotated[int, maximum_of("calls")]

    with pytest.raises(TypeError, match=r"Totals\.max_ns is the maximum of calls"):
        mergeable(Totals)


def test_a_state_at_a_maximum_is_that_of_the_larger_one() -> None:
    assert add(_LATER, _EARLIER).where == add(_EARLIER, _LATER).where == "late"

    @dataclass(frozen=True)
    class Totals:
        calls: Total
        where: Annotated[str, at_maximum("calls")]

    with pytest.raises(TypeError, match=r"Totals\.where belongs to calls: no maximum"):
        mergeable(Totals)


def test_every_table_of_a_snapshot_says_whose_it_is() -> None:
    tables = {
        name for name, value in _fields(Snapshot(0, 0)).items() if isinstance(value, dict)
    } - {"folded"}
    assert set(TABLES) == tables
    assert owned_tables(Snapshot) == TABLES


def _fields(snapshot: Snapshot) -> dict[str, object]:
    return {name: getattr(snapshot, name) for name in snapshot.__slots__}


def test_of_things_counted_one_that_both_have_seen_is_counted_once() -> None:
    @mergeable
    @dataclass(frozen=True)
    class Totals:
        opened: Annotated[int, count_unlike("inode")]
        inode: State[int]

    assert add(Totals(3, 7), Totals(2, 8)).opened == 5
    assert add(Totals(1, 7), Totals(1, 7)).opened == 1  # a listener that all of them share
    assert add(Totals(0, 0), Totals(1, 0)).opened == 1
    assert subtract(Totals(5, 8), Totals(2, 7)).opened == 5

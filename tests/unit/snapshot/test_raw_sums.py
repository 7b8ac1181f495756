"""Records added up raw are what they are added up decoded."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass

import pytest

from iotrace.engine.record_layout import Field, Layout
from iotrace.snapshot.merging import Histogram, Maximum, State, Total, mergeable
from iotrace.snapshot.raw_sums import added_up

LAYOUT = Layout(
    56,
    {
        "slot": Field(0, "I", 1),
        "fd": Field(4, "i", 1),
        "bytes": Field(8, "Q", 1),
        "max_ns": Field(16, "Q", 1),
        "latency": Field(24, "I", 5),
        "address": Field(44, "B", 8),
        "few": Field(52, "I", 1),
    },
)


@mergeable
@dataclass(frozen=True, slots=True)
class _Totals:
    fd: State[int]
    bytes: Total
    max_ns: Maximum
    latency: Histogram
    address: State[bytes]
    few: Total


def _record(**members: object) -> bytes:
    raw = bytearray(LAYOUT.size)
    for name, value in members.items():
        field = LAYOUT.fields[name]
        struct.pack_into(field.format, raw, field.offset, *_as_tuple(value))
    return bytes(raw)


def _as_tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _sum(*raws: bytes) -> list[bytes]:
    return list(added_up(LAYOUT, raws, _Totals))


def test_every_member_is_added_up_by_its_kind() -> None:
    dice = random.Random(7)
    records = [
        {
            "slot": number,
            "fd": -number,
            "bytes": dice.getrandbits(60),
            "max_ns": dice.getrandbits(64),
            "latency": tuple(dice.getrandbits(29) for _ in range(5)),
            "address": tuple(dice.randbytes(8)),
            "few": dice.getrandbits(29),
        }
        for number in range(7)
    ]
    assert _sum(*(_record(**record) for record in records)) == [
        _record(
            slot=0,
            fd=0,
            bytes=sum(record["bytes"] for record in records),
            max_ns=max(record["max_ns"] for record in records),
            latency=tuple(map(sum, zip(*(record["latency"] for record in records), strict=True))),
            address=records[0]["address"],
            few=sum(record["few"] for record in records),
        )
    ]


def test_one_record_is_its_own_sum() -> None:
    raw = _record(latency=(2**32 - 1,) * 5, bytes=2**64 - 1)
    assert _sum(raw) == [raw]


@pytest.mark.parametrize(
    "member", [{"latency": (0, 2**31, 0, 0, 0)}, {"bytes": 2**63}, {"few": 2**31}]
)
def test_a_sum_for_which_a_record_has_no_room_is_left_to_others(member: dict[str, object]) -> None:
    raws = [_record(**member), _record(**member)]
    assert _sum(*raws) == raws

# SPDX-License-Identifier: Apache-2.0
"""Add up records of the probes' tables before they are decoded, which takes a tenth of the time."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import cache

from iotrace.engine.record_layout import Field, Layout
from iotrace.snapshot.merging import FIRST, plan_of


def added_up(layout: Layout, raws: Sequence[bytes], totals: type) -> Sequence[bytes]:
    """One record that holds the sums of these; all of them where a sum has no room in a record.

    ``totals``: the class that the records become, whose fields say how they add up. Of what is
    none of its fields, the first record's is kept.
    """
    if len(raws) == 1:
        return raws
    columns = zip(*map(layout.scalars.unpack_from, raws), strict=True)
    rules = _columns(layout.names, totals)
    values = [rule(column) for rule, column in zip(rules, columns, strict=True)]
    record = bytearray(layout.size)
    try:
        layout.scalars.pack_into(record, 0, *values)
    except struct.error:
        return raws
    by_name = plan_of(totals).rules
    for name in layout.arrays:
        field = layout.fields[name]
        begin, end = field.offset, field.offset + struct.calcsize(field.format)
        parts = raws[:1] if by_name.get(name, FIRST) is FIRST else raws
        numbers = [int.from_bytes(raw[begin:end], "little") for raw in parts]
        if _could_overflow(field, numbers):
            return raws
        # As one number: no sum of the array's own carries into its neighbour.
        record[begin:end] = sum(numbers).to_bytes(end - begin, "little")
    return [bytes(record)]


@cache
def _columns(names: tuple[str, ...], totals: type) -> tuple[Callable[[Sequence[int]], int], ...]:
    """What makes one number of all that the records have in each of their scalar members."""
    by_name = plan_of(totals).rules
    return tuple(by_name.get(name, FIRST).column for name in names)


def _could_overflow(field: Field, arrays: Sequence[int]) -> bool:
    """Whether a sum of some numbers of these arrays might need one bit more than it has."""
    seen = 0
    for numbers in arrays:
        seen |= numbers
    return bool(seen & _high_bits(field, len(arrays).bit_length() if len(arrays) > 1 else 0))


@cache
def _high_bits(field: Field, bits: int) -> int:
    """The highest bits of each number of an array, which is read as one number."""
    width = struct.calcsize(field.code)
    one = ((1 << bits) - 1) << (8 * width - bits)
    return int.from_bytes(one.to_bytes(width, "little") * field.count, "little")

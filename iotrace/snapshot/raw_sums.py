"""Add up records of the probes' tables before they are decoded, which takes a tenth of the time."""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from functools import cache

from iotrace.engine.record_layout import Field, Layout


def added_up(
    layout: Layout, raws: Sequence[bytes], *, maxima: Collection[str], states: Collection[str]
) -> Sequence[bytes]:
    """One record that holds the sums of these; all of them where a sum has no room in a record.

    It has the largest of members in ``maxima``, and what the first one has in ``states``.
    """
    if len(raws) == 1:
        return raws
    columns = zip(*map(layout.scalars.unpack_from, raws), strict=True)
    values = [
        column[0] if name in states else max(column) if name in maxima else sum(column)
        for name, column in zip(layout.names, columns, strict=True)
    ]
    record = bytearray(layout.size)
    try:
        layout.scalars.pack_into(record, 0, *values)
    except struct.error:
        return raws
    for name, field in layout.fields.items():
        if name in layout.names:
            continue
        begin, end = field.offset, field.offset + struct.calcsize(field.format)
        parts = raws[:1] if name in states else raws
        numbers = [int.from_bytes(raw[begin:end], "little") for raw in parts]
        if _could_overflow(field, numbers):
            return raws
        # As one number: no sum of the array's own carries into its neighbour.
        record[begin:end] = sum(numbers).to_bytes(end - begin, "little")
    return [bytes(record)]


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

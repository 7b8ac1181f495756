"""Layouts of C structs as bcc describes them."""

import ctypes
import json

import pytest

from iotrace.engine.record_layout import parse_layout


class _Sample(ctypes.Structure):
    _fields_ = (
        ("seq", ctypes.c_uint32),
        ("fd", ctypes.c_int32),
        ("flag", ctypes.c_uint8),
        ("nr", ctypes.c_uint16),
        ("at_ns", ctypes.c_uint64),
        ("value", ctypes.c_int64),
        ("name", ctypes.c_char * 16),
        ("wait_ns", ctypes.c_uint64 * 3),
        ("tail", ctypes.c_uint8),
    )


DESCRIPTION = json.dumps(
    [
        "sample",
        [
            ["seq", "unsigned int"],
            ["fd", "int"],
            ["flag", "unsigned char"],
            ["__pad_2", "char", [1]],
            ["nr", "unsigned short"],
            ["__pad_3", "char", [4]],
            ["at_ns", "unsigned long long"],
            ["value", "long long"],
            ["name", "char", [16]],
            ["wait_ns", "unsigned long long", [3]],
            ["tail", "unsigned char"],
            ["__pad_end", "char", [7]],
        ],
        "struct_packed",
    ]
)


def test_layout_is_that_of_the_compiler() -> None:
    layout = parse_layout(DESCRIPTION)
    assert layout.size == ctypes.sizeof(_Sample)
    for name in layout.fields:
        assert layout.fields[name].offset == getattr(_Sample, name).offset, name


def test_members_are_read_as_they_were_written() -> None:
    layout = parse_layout(DESCRIPTION)
    record = _Sample(7, -1, 200, 40000, 2**63, -(2**62), b"name", (3, 5, 2**64 - 1), 9)
    values = layout.unpack(bytes(record))
    assert values == {
        "seq": 7,
        "fd": -1,
        "flag": 200,
        "nr": 40000,
        "at_ns": 2**63,
        "value": -(2**62),
        "name": b"name",
        "tail": 9,
    }
    assert layout.array(bytes(record), "wait_ns") == (3, 5, 2**64 - 1)


def test_pack_leaves_the_rest_zero() -> None:
    layout = parse_layout(DESCRIPTION)
    raw = layout.pack({"fd": -11, "name": b"abc"})
    record = _Sample.from_buffer_copy(raw)
    assert (record.fd, record.name, record.seq, record.at_ns) == (-11, b"abc", 0, 0)


def test_unknown_types_are_refused() -> None:
    with pytest.raises(KeyError):
        parse_layout('["x", [["a", "struct other"]], "struct"]')

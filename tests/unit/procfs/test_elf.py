"""Symbols, file offsets and load addresses of ELF files."""

from __future__ import annotations

import pytest

from iotrace.procfs.elf import ReadAt, find_dynamic_symbols, parse_elf

from .elf_image import DATA_ADDRESS, DATA_OFFSET, elf_image


def reader(data: bytes) -> ReadAt:
    return lambda offset, size: data[offset : offset + size]


def test_symbols_that_the_file_defines() -> None:
    read = reader(elf_image({"first": 0x401010, "taken": None, "last": 0x401020}))
    found = find_dynamic_symbols(parse_elf(read), read, ("first", "taken", "last", "absent"))
    assert found == {"first": 0x401010, "last": 0x401020}


def test_a_name_that_is_the_end_of_another() -> None:
    image = elf_image({"not_this": 0x401010, "this": 0x401020})
    read = reader(image)
    assert find_dynamic_symbols(parse_elf(read), read, ["this"]) == {"this": 0x401020}


def test_a_name_that_shares_the_end_of_another() -> None:
    image = elf_image({"not_this": 0x401010, "x": 0x401020})
    at = image.index(b"\0not_this\0x\0")
    entry = image.index((10).to_bytes(4, "little") + b"\x11")  # the entry of "x"
    read = reader(image[:entry] + (5).to_bytes(4, "little") + image[entry + 4 :])
    assert at > DATA_OFFSET
    assert find_dynamic_symbols(parse_elf(read), read, ["this"]) == {"this": 0x401020}


def test_where_bytes_are_in_the_file() -> None:
    elf = parse_elf(reader(elf_image({}, data=b"x" * 64, in_file=32)))
    assert elf.file_offset(DATA_ADDRESS) == DATA_OFFSET
    assert elf.file_offset(DATA_ADDRESS + 31) == DATA_OFFSET + 31
    assert elf.file_offset(DATA_ADDRESS + 32) is None
    assert elf.file_offset(7) is None


def test_what_is_added_when_it_is_mapped() -> None:
    elf = parse_elf(reader(elf_image({}, data=b"x" * 64)))
    assert elf.load_bias(0x7F0000400000, 0) == 0x7F0000000000
    assert elf.load_bias(0x400000, 0) == 0
    assert elf.load_bias(0x7F0000401000, DATA_OFFSET) == 0x7F0000000000
    assert elf.load_bias(0x7F0000401000, 1 << 30) is None


def test_sections() -> None:
    elf = parse_elf(reader(elf_image({}, constants=b"3.9.18\0")))
    rodata = elf.section(".rodata")
    assert rodata is not None
    assert rodata.size_bytes == 7
    assert elf.section(".data") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"#!/bin/sh\n",
        b"\x7fELF\x01\x01" + bytes(64),
        b"\x7fELF\x02\x02" + bytes(64),
        b"\x7fELF\x02\x01" + bytes(20),
        elf_image({"x": 1})[:-1],
        elf_image({"x": 1})[:54] + b"\0\0" + elf_image({"x": 1})[56:],
    ],
)
def test_no_elf_file(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"ELF"):
        parse_elf(reader(data))


def test_a_file_without_symbols() -> None:
    image = elf_image({"x": 1})
    read = reader(image[:60] + bytes(4) + image[64:])  # no sections at all
    elf = parse_elf(read)
    assert elf.sections == ()
    assert find_dynamic_symbols(elf, read, ["x"]) == {}

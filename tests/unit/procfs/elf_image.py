"""Small ELF files, made to measure: elf(5)."""

from __future__ import annotations

import struct

DATA_ADDRESS = 0x401000
DATA_OFFSET = 0x1000
CODE_BYTES = 0x800


def elf_image(
    symbols: dict[str, int | None],
    data: bytes = b"",
    constants: bytes = b"",
    in_file: int = -1,
    data_offset: int = DATA_OFFSET,
) -> bytes:
    """A file with a code segment at its start and ``data`` in a segment of its own.

    ``symbols``: name -> address, None for one that it takes from elsewhere. ``in_file``: how much
    of the data segment the file holds (all, unless given). ``data_offset``: 176 or more.
    """
    names = b"\0"
    table = bytes(24)
    for name, address in symbols.items():
        section = 0 if address is None else 1
        table += struct.pack("<IBBHQQ", len(names), 0x11, 0, section, address or 0, 8)
        names += name.encode() + b"\0"
    section_names = b"\0.dynsym\0.dynstr\0.rodata\0.shstrtab\0"
    parts = (table, names, constants, section_names)
    offsets, at = [], data_offset + len(data)
    for part in parts:
        offsets.append(at)
        at += len(part)
    rows = (
        (0, 0, 0, 0, 0),
        (1, 11, offsets[0], len(table), 2),
        (9, 3, offsets[1], len(names), 0),
        (17, 1, offsets[2], len(constants), 0),
        (25, 3, offsets[3], len(section_names), 0),
    )
    sections = b"".join(
        struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, size, link, 0, 1, 0)
        for name, kind, offset, size, link in rows
    )
    held = len(data) if in_file < 0 else in_file
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0, CODE_BYTES, CODE_BYTES, 0x1000)
    segments += struct.pack(
        "<IIQQQQQQ", 1, 6, data_offset, DATA_ADDRESS, 0, held, len(data), 0x1000
    )
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01", 3, 62, 1, 0, 64, at, 0, 64, 56, 2, 64, len(rows), len(rows) - 1,
    )  # fmt: skip
    start = (header + segments).ljust(data_offset, b"\0")
    return start + data + b"".join(parts) + sections

# SPDX-License-Identifier: Apache-2.0
"""Just enough of ELF to find a symbol's address and bytes in a file: elf(5).

64-bit little-endian files (x86-64, aarch64, riscv64) only.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass

ReadAt = Callable[[int, int], bytes]
"""(offset, size) -> those bytes of the file; fewer where it ends."""

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_IDENTITY = b"\x7fELF\x02\x01"  # magic, 64 bits, little-endian
_PT_LOAD = 1
_SHT_DYNSYM = 11
_SHN_UNDEF = 0
# Far above any real table: who made the file may have made it to cost us memory and time.
_TABLE_BYTES = 1 << 22
_TABLE_ENTRIES = 4096
_SECTION_NAMES_BYTES = 1 << 18
_NAME_BYTES = 64
_PLACES = 1024


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the file that is mapped: from ``offset``, to ``address`` (before relocation)."""

    offset: int
    address: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of the file."""

    name: str
    kind: int
    offset: int
    size_bytes: int
    link: int


@dataclass(frozen=True, slots=True)
class Elf:
    """A file's loadable segments and its sections."""

    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]

    def file_offset(self, address: int) -> int | None:
        """Where in the file the bytes of an address are; None if they aren't in it (.bss)."""
        for segment in self.segments:
            if 0 <= address - segment.address < segment.size_bytes:
                return address - segment.address + segment.offset
        return None

    def load_bias(self, start: int, offset: int) -> int | None:
        """What was added to the file's addresses when ``offset`` was mapped to ``start``.

        ``start`` and ``offset`` are those of the file's first mapping: a page that two segments
        share is mapped twice. None if the file has no such segment.
        """
        for segment in self.segments:
            page_start = segment.offset - segment.offset % mmap.PAGESIZE
            if page_start <= offset < segment.offset + segment.size_bytes:
                return start - offset - (segment.address - segment.offset)
        return None

    def section(self, name: str) -> Section | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.name == name), None)


def parse_elf(read: ReadAt) -> Elf:
    """Raises ``ValueError`` for anything that isn't a 64-bit little-endian ELF file."""
    try:
        return _parse(read)
    except struct.error as error:
        raise ValueError("a truncated ELF file") from error


def _parse(read: ReadAt) -> Elf:
    header = read(0, _HEADER.size)
    if not header.startswith(_IDENTITY):
        raise ValueError("not a 64-bit little-endian ELF file")
    fields = _HEADER.unpack(header)
    segments_at, sections_at = fields[5:7]
    segment_size, segment_count, section_size, section_count, names_index = fields[9:14]
    segments = []
    for entry in _table(read, segments_at, segment_size, segment_count, _SEGMENT):
        kind, _flags, offset, address, _physical, size, _memory_size, _align = entry
        if kind == _PT_LOAD:
            segments.append(Segment(offset, address, size))
    raw = _table(read, sections_at, section_size, section_count, _SECTION)
    names = b""
    if names_index < len(raw):
        offset, size = raw[names_index][4:6]
        names = read(offset, min(size, _SECTION_NAMES_BYTES))
    return Elf(tuple(segments), tuple([_section(entry, names) for entry in raw]))


def _table(
    read: ReadAt, at: int, entry_size: int, count: int, layout: struct.Struct
) -> list[tuple[int, ...]]:
    if not count:
        return []
    if entry_size != layout.size:
        raise ValueError("ELF table entries of an unknown size")
    if count > _TABLE_ENTRIES:
        raise ValueError(f"an ELF table of {count} entries")
    return list(layout.iter_unpack(read(at, entry_size * count)))


def _section(entry: tuple[int, ...], names: bytes) -> Section:
    name_at, kind, _flags, _address, offset, size, link, _info, _align, _entry_size = entry
    name = names[name_at : name_at + _NAME_BYTES].partition(b"\0")[0]
    return Section(name.decode("ascii", "replace"), kind, offset, size, link)


def find_dynamic_symbols(elf: Elf, read: ReadAt, names: Collection[str]) -> dict[str, int]:
    """Addresses (before relocation) of those of ``names`` that the file itself defines.

    Looks in .dynsym, which stripped files keep. Raises ``ValueError`` if that is damaged.
    """
    table = next((section for section in elf.sections if section.kind == _SHT_DYNSYM), None)
    if table is None or table.link >= len(elf.sections):
        return {}
    strings = elf.sections[table.link]
    wanted = _positions(read(strings.offset, min(strings.size_bytes, _TABLE_BYTES)), names)
    symbols = read(table.offset, min(table.size_bytes, _TABLE_BYTES))
    whole = len(symbols) - len(symbols) % _SYMBOL.size
    found = {}
    for name_at, _info, _other, section, address, _size in _SYMBOL.iter_unpack(symbols[:whole]):
        if name_at in wanted and section != _SHN_UNDEF:
            found[wanted[name_at]] = address
    return found


def _positions(strings: bytes, names: Collection[str]) -> dict[int, str]:
    # A string may begin in the middle of a longer one that ends alike: all places count.
    positions = {}
    for name in names:
        encoded = name.encode() + b"\0"
        at = strings.find(encoded)
        while at >= 0:
            positions[at] = name
            if len(positions) > _PLACES:
                raise ValueError("the same name over and over in an ELF string table")
            at = strings.find(encoded, at + 1)
    return positions

# SPDX-License-Identifier: Apache-2.0
"""Decode kernel records by the layout that bcc tells of the C structs themselves."""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CODES = {
    "unsigned char": "B",
    "signed char": "b",
    "char": "s",
    "unsigned short": "H",
    "short": "h",
    "unsigned int": "I",
    "int": "i",
    "unsigned long long": "Q",
    "long long": "q",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One member: where it lies and how it is packed."""

    offset: int
    code: str
    count: int

    @property
    def format(self) -> str:
        """The struct format of the whole member."""
        return f"<{self.count}{self.code}"


@dataclass(frozen=True, slots=True)
class Layout:
    """A C struct: ``size`` bytes, ``fields`` by name."""

    size: int
    fields: dict[str, Field]
    scalars: struct.Struct = dataclasses.field(init=False, repr=False, compare=False)
    """All scalar members and texts at once; what lies between them is skipped."""
    names: tuple[str, ...] = dataclasses.field(init=False, repr=False, compare=False)
    texts: tuple[str, ...] = dataclasses.field(init=False, repr=False, compare=False)
    arrays: tuple[str, ...] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names, code, end = [], "<", 0
        for name, member in self.fields.items():
            if member.code == "s" or member.count == 1:
                code += f"{member.offset - end}x{member.count}{member.code}"
                end = member.offset + struct.calcsize(member.format)
                names.append(name)
        object.__setattr__(self, "scalars", struct.Struct(code))
        object.__setattr__(self, "names", tuple(names))
        texts = tuple(name for name in names if self.fields[name].code == "s")
        object.__setattr__(self, "texts", texts)
        arrays = tuple(name for name in self.fields if name not in names)
        object.__setattr__(self, "arrays", arrays)

    def unpack(self, raw: bytes) -> dict[str, Any]:
        """Every scalar member (and texts, as bytes up to the first NUL); arrays are left out."""
        values = dict(zip(self.names, self.scalars.unpack_from(raw), strict=True))
        for name in self.texts:
            values[name] = values[name].split(b"\0")[0]
        return values

    def members(self, *names: str) -> struct.Struct:
        """What reads these members alone; they are named in the order in which they lie."""
        code, end = "<", 0
        for name in names:
            member = self.fields[name]
            code += f"{member.offset - end}x{member.count}{member.code}"
            end = member.offset + struct.calcsize(member.format)
        return struct.Struct(code)

    def array(self, raw: bytes, name: str) -> tuple[int, ...]:
        """An array member."""
        field = self.fields[name]
        return struct.unpack_from(field.format, raw, field.offset)

    def pack(self, values: Mapping[str, int | bytes]) -> bytearray:
        """A record with these members; the others are zero."""
        raw = bytearray(self.size)
        for name, value in values.items():
            field = self.fields[name]
            struct.pack_into(field.format, raw, field.offset, value)
        return raw


def parse_layout(description: str) -> Layout:
    """From bcc's JSON: ["name", [["member", "type"] or ["member", "type", [count]], ...], ...]."""
    _, members, *_ = json.loads(description)
    fields: dict[str, Field] = {}
    offset, widest = 0, 1
    for name, kind, *shape in members:
        code = _CODES[kind]
        width = struct.calcsize(f"<{code}")
        count = shape[0][0] if shape else 1
        offset = -(-offset // width) * width
        widest = max(widest, width)
        if not name.startswith("__pad"):
            fields[name] = Field(offset, code, count)
        offset += width * count
    return Layout(-(-offset // widest) * widest, fields)

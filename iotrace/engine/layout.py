"""Decode kernel records by the layout that bcc tells of the C structs themselves."""

from __future__ import annotations

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

    def unpack(self, raw: bytes) -> dict[str, Any]:
        """Every scalar member (and texts, as bytes up to the first NUL); arrays are left out."""
        values: dict[str, Any] = {}
        for name, field in self.fields.items():
            if field.code == "s":
                values[name] = raw[field.offset : field.offset + field.count].split(b"\0")[0]
            elif field.count == 1:
                values[name] = struct.unpack_from(field.format, raw, field.offset)[0]
        return values

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

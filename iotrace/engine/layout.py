"""Decode kernel records by the layout that bcc tells of the C structs themselves."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    _scalars: struct.Struct = field(init=False, compare=False)
    _names: tuple[str, ...] = field(init=False, compare=False)
    _texts: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # One format for all members that are no arrays: records are unpacked by the thousand.
        chosen = {n: f for n, f in self.fields.items() if f.code == "s" or f.count == 1}
        text, end = "<", 0
        for one in chosen.values():
            text += f"{one.offset - end}x{one.count}{one.code}"
            end = one.offset + struct.calcsize(one.format)
        object.__setattr__(self, "_scalars", struct.Struct(text))
        object.__setattr__(self, "_names", tuple(chosen))
        object.__setattr__(self, "_texts", tuple(n for n, f in chosen.items() if f.code == "s"))

    def unpack(self, raw: bytes) -> dict[str, Any]:
        """Every scalar member (and texts, as bytes up to the first NUL); arrays are left out."""
        values = dict(zip(self._names, self._scalars.unpack_from(raw), strict=True))
        for name in self._texts:
            values[name] = values[name].split(b"\0")[0]
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

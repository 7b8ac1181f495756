# SPDX-License-Identifier: Apache-2.0
"""Python objects in foreign memory: types, texts, numbers, sets, dictionaries."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iotrace.asyncio_tasks.bulk_memory import BulkMemory, read_words
from iotrace.asyncio_tasks.object_layout import Layout
from iotrace.pystack.memory import Unreadable, read_u64

# Of struct _typeobject behind tp_name, the same in 3.9 to 3.15: Include/cpython/object.h.
_BASICSIZE, _FLAGS, _BASE, _DICTOFFSET = 8, 144, 232, 264
_TYPE_BYTES = 272
_MOST_TYPES = 4096
_BASES = 8
_NAME_BYTES = 64
_TEXT_HEAD_BYTES = 72
_SET_ENTRIES = 1 << 18
_KEYS = 1 << 16
_ENCODINGS = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}
_FLAG_LONG, _FLAG_STR = 1 << 24, 1 << 28  # Py_TPFLAGS_LONG_SUBCLASS, Py_TPFLAGS_UNICODE_SUBCLASS
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")


def word_at(raw: bytes, at: int) -> int:
    """A number of 8 bytes."""
    return int(_U64.unpack_from(raw, at)[0])


@dataclass(frozen=True, slots=True)
class Type:
    """``name``: tp_name; ``base``: address of its base, 0: none."""

    name: str
    basicsize: int
    flags: int
    dictoffset: int
    base: int

    @property
    def is_int(self) -> bool:
        return bool(self.flags & _FLAG_LONG)

    @property
    def is_str(self) -> bool:
        return bool(self.flags & _FLAG_STR)


NO_TYPE = Type("?", 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Text:
    """``length``: of all of it, in characters."""

    text: str
    length: int


class Objects:
    """The objects of one process for one look: types are read once."""

    def __init__(self, memory: BulkMemory, layout: Layout) -> None:
        self.memory = memory
        self.layout = layout
        self._types: dict[int, Type] = {}

    def type_at(self, address: int) -> Type:
        """The type object at an address; NO_TYPE where there is none."""
        known = self._types.get(address)
        if known is None:
            try:
                known = self._read_type(address)
            except Unreadable:
                known = NO_TYPE
            if len(self._types) >= _MOST_TYPES:
                self._types.clear()
            self._types[address] = known
        return known

    def types_of(self, addresses: Sequence[int]) -> list[Type]:
        """The types of the objects there; NO_TYPE where there are none."""
        at = self.layout.offsets.object_type
        words = read_words(self.memory, [address + at for address in addresses])
        return [self._types.get(word) or self.type_at(word) for word in words]

    def type_of(self, address: int) -> Type:
        """Of one object."""
        try:
            return self.type_at(read_u64(self.memory, address + self.layout.offsets.object_type))
        except Unreadable:
            return NO_TYPE

    def is_a(self, type_: Type, name: str) -> bool:
        """Whether a type or one of its bases has that name."""
        for _ in range(_BASES):
            if type_.name == name:
                return True
            if not type_.base:
                return False
            type_ = self.type_at(type_.base)
        return False

    def texts(self, addresses: Sequence[int], most: int) -> list[Text | None]:
        """The first ``most`` characters of str objects; None where there is none.

        An int is a task's number: its text is "Task-N".
        """
        heads = self.memory.read_many([(address, _TEXT_HEAD_BYTES) for address in addresses])
        found: list[Text | None] = []
        for address, head in zip(addresses, heads, strict=True):
            try:
                whole = (
                    self.memory.read(address, self.layout.int_digit + 8) if head is None else head
                )
                found.append(self._text(address, whole, most))
            except (Unreadable, struct.error):
                found.append(None)
        return found

    def integer(self, address: int) -> int:
        """A small int that is not negative. Raises Unreadable."""
        if not self.type_of(address).is_int:
            raise Unreadable(f"no int at {address:#x}")
        raw = self.memory.read(address + self.layout.int_digit, 4)
        return int(_U32.unpack(raw)[0])

    def members(self, address: int) -> list[int]:
        """The addresses of the objects in a set. Raises Unreadable."""
        layout = self.layout
        head = self.memory.read(
            address, max(layout.set_used, layout.set_mask, layout.set_table) + 8
        )
        mask = word_at(head, layout.set_mask)
        if mask >= _SET_ENTRIES or mask & (mask + 1):
            raise Unreadable(f"a set of {mask} entries at {address:#x}")
        entries = self.memory.read(word_at(head, layout.set_table), 16 * (mask + 1))
        return [key for key, _ in struct.iter_unpack("<QQ", entries) if key]

    def entries(self, keys: int) -> Iterator[tuple[int, int, int]]:
        """(place, key, value) of the keys of a dictionary (PyDictKeysObject). Raises Unreadable.

        In a dictionary of keys that instances share, the values are elsewhere.
        """
        head = self.memory.read(keys, 40)
        if self.layout.version >= (3, 11):
            start, count = keys + 32 + (1 << min(head[9], 30)), word_at(head, 24)
            step, at = (24, 8) if head[10] == 0 else (16, 0)
        else:
            size, count = word_at(head, 8), word_at(head, 32)
            width = next((w for w, most in ((1, 0xFF), (2, 0xFFFF)) if size <= most), 4)
            start, step, at = keys + 40 + size * width, 24, 8
        if count > _KEYS:
            raise Unreadable(f"a dictionary of {count} keys")
        raw = self.memory.read(start, step * count) if count else b""
        for place in range(count):
            yield place, word_at(raw, step * place + at), word_at(raw, step * place + at + 8)

    def _read_type(self, address: int) -> Type:
        name_at = self.layout.type_name
        raw = self.memory.read(address + name_at, _TYPE_BYTES)
        name_address = word_at(raw, 0)
        left = 4096 - (name_address & 4095)
        name = self.memory.read(name_address, min(_NAME_BYTES, left))
        return Type(
            name=name.split(b"\0")[0].decode("utf-8", "replace"),
            basicsize=word_at(raw, _BASICSIZE) & 0xFFFF,
            flags=word_at(raw, _FLAGS),
            dictoffset=struct.unpack_from("<q", raw, _DICTOFFSET)[0],
            base=word_at(raw, _BASE),
        )

    def _text(self, address: int, head: bytes, most: int) -> Text:
        """A str object: PEP 393."""
        layout = self.layout
        type_ = self.type_at(word_at(head, layout.offsets.object_type))
        if type_.is_int:
            number = int(_U32.unpack_from(head, layout.int_digit)[0])
            return Text(f"Task-{number}", len(str(number)) + 5)
        if not type_.is_str:
            raise Unreadable(f"no text at {address:#x}")
        length = word_at(head, layout.offsets.text_length)
        state = (
            _U32.unpack_from(head, layout.offsets.text_state)[0] >> layout.offsets.text_kind_shift
        )
        kind, compact, ascii_only = state & 7, state >> 3 & 1, state >> 4 & 1
        if not compact or kind not in _ENCODINGS:
            raise Unreadable(f"no text at {address:#x}")
        at = layout.offsets.text_data
        if not ascii_only:  # utf8_length and utf8 follow, before 3.12 wstr_length as well
            at += 24 if layout.version < (3, 12) else 16
        size = kind * min(length, most)
        data = head[at : at + size]
        if len(data) < size:
            data = self.memory.read(address + at, size)
        return Text(data.decode(_ENCODINGS[kind], "replace"), length)

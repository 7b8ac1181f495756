# SPDX-License-Identifier: Apache-2.0
"""Attributes of plain instances: where their values are depends on the version.

3.9, 3.10: in a dictionary, and later too where the class says where its address is. 3.11: in an
array before the object. 3.12: the same or a dictionary, in one word. 3.13 on: inside the object, or
in a dictionary (Objects/dictobject.c).
"""

from __future__ import annotations

from iotrace.asyncio_tasks.objects import Objects, Type, word_at
from iotrace.pystack.memory import read_u64

_INLINE_VALUES, _MANAGED_DICT = 1 << 2, 1 << 4  # Py_TPFLAGS_*, 3.11 (inline: 3.13) and later
_VALID = 3
_KEYS, _VALUES = 32, 40  # PyDictObject
_NAME_LENGTH = 64


class Instances:
    """Attributes by name; the names of a class's instances are read once."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._memory = objects.memory
        self._places: dict[int, dict[str, int]] = {}

    def attribute(self, address: int, name: str) -> int:
        """The address of an attribute's value, 0: it has none. Raises Unreadable."""
        version = self._objects.layout.version
        of = read_u64(self._memory, address + self._objects.layout.offsets.object_type)
        type_ = self._objects.type_at(of)
        if version < (3, 11) or not type_.flags & _MANAGED_DICT:
            return self._in_own_dict(address, type_, name)
        if version >= (3, 13) and type_.flags & _INLINE_VALUES:
            values = address + type_.basicsize
            if self._memory.read(values, 4)[_VALID]:
                return self._shared(of, values + 8, name)
        before = read_u64(self._memory, address - 24)
        if version == (3, 11):
            values = read_u64(self._memory, address - 32)
            if values:
                return self._shared(of, values, name)
        elif version == (3, 12) and before & 1:
            return self._shared(of, before + 1, name)
        return self.item(before, name) if before else 0

    def item(self, dictionary: int, name: str) -> int:
        """The value of a str key in a dictionary, 0: none. Raises Unreadable."""
        keys = read_u64(self._memory, dictionary + _KEYS)
        values = read_u64(self._memory, dictionary + _VALUES)
        if values:
            first = values + 8 if self._objects.layout.version >= (3, 13) else values
            return self._value(keys, first, name)
        entries = list(self._objects.entries(keys))
        texts = self._objects.texts([key for _, key, _ in entries], _NAME_LENGTH)
        for (_, _, value), text in zip(entries, texts, strict=True):
            if text and text.text == name and text.length == len(name):
                return value
        return 0

    def _in_own_dict(self, address: int, type_: Type, name: str) -> int:
        if type_.dictoffset <= 0:
            return 0
        dictionary = read_u64(self._memory, address + type_.dictoffset)
        return self.item(dictionary, name) if dictionary else 0

    def _shared(self, type_address: int, values: int, name: str) -> int:
        keys = read_u64(self._memory, type_address + self._objects.layout.cached_keys)
        return self._value(keys, values, name)

    def _value(self, keys: int, values: int, name: str) -> int:
        places = self._places.get(keys)
        if places is None:
            entries = list(self._objects.entries(keys))
            texts = self._objects.texts([key for _, key, _ in entries], _NAME_LENGTH)
            places = self._places[keys] = {
                text.text: place
                for (place, _, _), text in zip(entries, texts, strict=True)
                if text is not None
            }
        place = places.get(name)
        return 0 if place is None else word_at(self._memory.read(values + 8 * place, 8), 0)

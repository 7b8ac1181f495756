# SPDX-License-Identifier: Apache-2.0
"""A BPF hash or queue map, read and written by bpf(2)."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator, Sequence

from iotrace.engine.bpf_syscall import bpf
from iotrace.procfs.files import is_absent

_LOOKUP, _UPDATE, _DELETE, _NEXT_KEY = 1, 2, 3, 4
_LOOKUP_AND_DELETE, _LOOKUP_BATCH, _DELETE_BATCH = 21, 24, 27
ANY, NOEXIST = 0, 1
_BATCH = 512


class _Element(ctypes.Structure):
    _fields_ = (
        ("map_fd", ctypes.c_uint32),
        ("pad", ctypes.c_uint32),
        ("key", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
    )


class _Batch(ctypes.Structure):
    _fields_ = (
        ("in_batch", ctypes.c_uint64),
        ("out_batch", ctypes.c_uint64),
        ("keys", ctypes.c_uint64),
        ("values", ctypes.c_uint64),
        ("count", ctypes.c_uint32),
        ("map_fd", ctypes.c_uint32),
        ("elem_flags", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
    )


class HashMap:
    """One hash (or queue) map by its descriptor; keys and values are bytes."""

    def __init__(self, fd: int, key_size: int, value_size: int) -> None:
        self.fd = fd
        self._key = ctypes.create_string_buffer(max(key_size, 1))
        self._value = ctypes.create_string_buffer(value_size)
        self._key_size = key_size
        self._value_size = value_size

    def _element(self, command: int, key: bytes, value: bytes | None, flags: int) -> int:
        ctypes.memmove(self._key, key, len(key))
        if value is not None:
            ctypes.memmove(self._value, value, len(value))
        attributes = _Element(
            self.fd,
            0,
            ctypes.addressof(self._key) if self._key_size else 0,
            # The kernel refuses to delete where anything behind the key is not 0 (CHECK_ATTR).
            ctypes.addressof(self._value) if command != _DELETE else 0,
            flags,
        )
        return bpf(command, attributes)

    def update(self, key: bytes, value: bytes, flags: int = ANY) -> bool:
        """Set an element; False: it exists already (NOEXIST) or the map is full."""
        error = self._element(_UPDATE, key, value, flags)
        if error in (0, errno.EEXIST, errno.E2BIG, errno.ENOMEM):
            return not error
        raise OSError(error, os.strerror(error))

    def push(self, value: bytes) -> bool:
        """Append to a queue; False: it is full."""
        return self.update(b"", value)

    def get(self, key: bytes) -> bytes | None:
        """The value, None where there is none."""
        if self._element(_LOOKUP, key, None, 0):
            return None
        return self._value.raw[: self._value_size]

    def pop(self) -> bytes | None:
        """Take the first value out of a queue; None: it is empty."""
        if self._element(_LOOKUP_AND_DELETE, b"", None, 0):
            return None
        return self._value.raw[: self._value_size]

    def delete(self, key: bytes) -> None:
        """Remove an element, if it is there."""
        error = self._element(_DELETE, key, None, 0)
        if error not in (0, errno.ENOENT):
            raise OSError(error, os.strerror(error))

    def delete_all(self, keys: Sequence[bytes]) -> None:
        """Remove these, if they are there: in one system call (the same commit as ``items``)."""
        together = ctypes.create_string_buffer(b"".join(keys), len(keys) * self._key_size)
        done = 0
        while done < len(keys) and not is_absent("lookup_batch"):
            start = ctypes.addressof(together) + done * self._key_size
            attributes = _Batch(keys=start, count=len(keys) - done, map_fd=self.fd)
            error = bpf(_DELETE_BATCH, attributes)
            if error not in (0, errno.ENOENT):
                break
            done += attributes.count + (error == errno.ENOENT)  # it stops at one that is not there
        for key in keys[done:]:
            self.delete(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every element, a few hundred a system call (kernel commit 057996380a42, 5.6)."""
        if is_absent("lookup_batch"):
            yield from self._items_one_by_one()
            return
        keys = ctypes.create_string_buffer(self._key_size * _BATCH)
        values = ctypes.create_string_buffer(self._value_size * _BATCH)
        # Opaque position; the kernel wants at least 4 bytes, hash maps use exactly 4.
        position = ctypes.create_string_buffer(max(self._key_size, 8))
        first = True
        while True:
            attributes = _Batch(
                0 if first else ctypes.addressof(position),
                ctypes.addressof(position),
                ctypes.addressof(keys),
                ctypes.addressof(values),
                _BATCH,
                self.fd,
            )
            error = bpf(_LOOKUP_BATCH, attributes)
            if error == errno.EINVAL and first:
                yield from self._items_one_by_one()
                return
            if error not in (0, errno.ENOENT):
                raise OSError(error, os.strerror(error))
            raw_keys, raw_values = keys.raw, values.raw
            for i in range(attributes.count):
                yield (
                    raw_keys[i * self._key_size : (i + 1) * self._key_size],
                    raw_values[i * self._value_size : (i + 1) * self._value_size],
                )
            if error:
                return
            first = False

    def _items_one_by_one(self) -> Iterator[tuple[bytes, bytes]]:
        """The same where the kernel has no batches. What changes meanwhile may come twice."""
        key: bytes | None = None
        buffer = ctypes.create_string_buffer(self._key_size)
        following = ctypes.create_string_buffer(self._key_size)
        found: dict[bytes, bytes] = {}
        while True:
            if key is not None:
                ctypes.memmove(buffer, key, self._key_size)
            attributes = _Element(
                self.fd,
                0,
                ctypes.addressof(buffer) if key is not None else 0,
                ctypes.addressof(following),
            )
            if bpf(_NEXT_KEY, attributes):
                break
            key = following.raw
            if key in found:  # deleted under our hands: the kernel began anew
                break
            value = self.get(key)
            if value is not None:
                found[key] = value
        yield from found.items()

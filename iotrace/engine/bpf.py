"""The bpf(2) system call, as far as the tracing process needs it: map elements by descriptor.

No bcc here: the process that traces holds only descriptors (see handover.py).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Iterator
from pathlib import Path

_NUMBER = {"x86_64": 321, "aarch64": 280}
_LOOKUP, _UPDATE, _DELETE, _GET_NEXT_KEY, _LOOKUP_BATCH = 1, 2, 3, 4, 24
ANY, NOEXIST = 0, 1
_BATCH = 512

_libc = ctypes.CDLL(None, use_errno=True)


class _Element(ctypes.Structure):
    """union bpf_attr of BPF_MAP_*_ELEM (include/uapi/linux/bpf.h)."""

    _fields_ = (
        ("map_fd", ctypes.c_uint32),
        ("pad", ctypes.c_uint32),
        ("key", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
    )


class _Batch(ctypes.Structure):
    """union bpf_attr of BPF_MAP_*_BATCH."""

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


def _bpf(command: int, attributes: ctypes.Structure) -> int:
    """0, or the errno."""
    result = _libc.syscall(
        _NUMBER[platform.machine()],
        command,
        ctypes.byref(attributes),
        ctypes.sizeof(attributes),
    )
    return ctypes.get_errno() if result < 0 else 0


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
            ctypes.addressof(self._value),
            flags,
        )
        return _bpf(command, attributes)

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

    def delete(self, key: bytes) -> None:
        """Remove an element, if it is there."""
        self._element(_DELETE, key, None, 0)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every element, a few hundred a system call (kernel commit 057996380a42, 5.6)."""
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
            error = _bpf(_LOOKUP_BATCH, attributes)
            if error not in (0, errno.ENOENT):
                raise OSError(error, os.strerror(error))
            for i in range(attributes.count):
                yield (
                    keys.raw[i * self._key_size : (i + 1) * self._key_size],
                    values.raw[i * self._value_size : (i + 1) * self._value_size],
                )
            if error:
                return
            first = False


def descriptor_figure(fd: int, name: str) -> int:
    """A number that the kernel tells of a map or program ("memlock", "recursion_misses")."""
    for line in Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value)
    return 0

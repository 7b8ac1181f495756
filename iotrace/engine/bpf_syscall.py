"""The bpf(2) system call, as far as iotrace needs it; no bcc here.

Attributes are ``union bpf_attr`` of include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Iterator, Sequence

from iotrace.procfs.files import is_absent, read_file

_NUMBER = {"x86_64": 321, "aarch64": 280}
_MAP_CREATE, _LOOKUP, _UPDATE, _DELETE, _PROG_LOAD, _TRACEPOINT_OPEN = 0, 1, 2, 3, 5, 17
_NEXT_KEY, _PROGRAM_NEXT_ID = 4, 11
_LOOKUP_AND_DELETE, _LOOKUP_BATCH, _DELETE_BATCH = 21, 24, 27
_PROGRAM_PERF_EVENT, _PROGRAM_RAW_TRACEPOINT, _PROGRAM_TRACING = 7, 17, 26
_TYPED_RAW_TRACEPOINT = 23
"""BPF_TRACE_RAW_TP"""
_LOG_BYTES = 1 << 20
_LICENSE = b"Dual BSD/GPL"
"""The probes' SPDX line, in the kernel's words (include/linux/license.h)."""
ANY, NOEXIST = 0, 1
_BATCH = 512

_libc = ctypes.CDLL(None, use_errno=True)


class KernelRefusal(Exception):
    """The kernel did not do it. ``what`` completes "does not let iotrace ..."."""

    def __init__(self, what: str, number: int, log: str = "") -> None:
        super().__init__(f"{what}: {os.strerror(number)}")
        self.what = what
        self.number = number
        self.log = log


class _MapCreate(ctypes.Structure):
    _fields_ = (
        ("map_type", ctypes.c_uint32),
        ("key_size", ctypes.c_uint32),
        ("value_size", ctypes.c_uint32),
        ("max_entries", ctypes.c_uint32),
        ("map_flags", ctypes.c_uint32),
        ("inner_map_fd", ctypes.c_uint32),
        ("numa_node", ctypes.c_uint32),
        ("map_name", ctypes.c_char * 16),
    )


class _ProgramLoad(ctypes.Structure):
    _fields_ = (
        ("prog_type", ctypes.c_uint32),
        ("insn_cnt", ctypes.c_uint32),
        ("insns", ctypes.c_uint64),
        ("license", ctypes.c_uint64),
        ("log_level", ctypes.c_uint32),
        ("log_size", ctypes.c_uint32),
        ("log_buf", ctypes.c_uint64),
        ("kern_version", ctypes.c_uint32),
        ("prog_flags", ctypes.c_uint32),
        ("prog_name", ctypes.c_char * 16),
        ("prog_ifindex", ctypes.c_uint32),
        ("expected_attach_type", ctypes.c_uint32),
        ("prog_btf_fd", ctypes.c_uint32),
        ("func_info_rec_size", ctypes.c_uint32),
        ("func_info", ctypes.c_uint64),
        ("func_info_cnt", ctypes.c_uint32),
        ("line_info_rec_size", ctypes.c_uint32),
        ("line_info", ctypes.c_uint64),
        ("line_info_cnt", ctypes.c_uint32),
        ("attach_btf_id", ctypes.c_uint32),
    )


class _TracepointOpen(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_uint64),
        ("prog_fd", ctypes.c_uint32),
        ("pad", ctypes.c_uint32),
    )


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


def _call(command: int, attributes: ctypes.Structure) -> int:
    """What the system call returns; -1: see ctypes.get_errno()."""
    result: int = _libc.syscall(
        _NUMBER[platform.machine()],
        command,
        ctypes.byref(attributes),
        ctypes.sizeof(attributes),
    )
    return result


def _bpf(command: int, attributes: ctypes.Structure) -> int:
    """0, or the errno."""
    return ctypes.get_errno() if _call(command, attributes) < 0 else 0


def create_map(
    name: str, kind: int, key_size: int, value_size: int, entries: int, flags: int
) -> int:
    """A new map's descriptor. Raises KernelRefusal."""
    attributes = _MapCreate(
        kind, key_size, value_size, entries, flags, 0, 0, name[:15].encode("ascii")
    )
    fd = _call(_MAP_CREATE, attributes)
    if fd < 0:
        raise KernelRefusal(f"make the table {name}", ctypes.get_errno())
    return fd


def load_program(name: str, code: bytes, *, samples: bool = False, type_id: int = 0) -> int:
    """A raw tracepoint (or perf event) program's descriptor.

    ``type_id``: of the tracepoint (KernelTypes.tracepoint_type), if the verifier is to know the
    types of its arguments; 0: to the verifier they are numbers.
    Raises KernelRefusal with the verifier's log.
    """
    instructions = ctypes.create_string_buffer(code, len(code))
    license_name = ctypes.create_string_buffer(_LICENSE)
    log = ctypes.create_string_buffer(_LOG_BYTES)
    untyped = _PROGRAM_PERF_EVENT if samples else _PROGRAM_RAW_TRACEPOINT
    attributes = _ProgramLoad(
        _PROGRAM_TRACING if type_id else untyped,
        len(code) // 8,
        ctypes.addressof(instructions),
        ctypes.addressof(license_name),
        prog_name=name[:15].encode("ascii"),
        expected_attach_type=_TYPED_RAW_TRACEPOINT if type_id else 0,
        attach_btf_id=type_id,
    )
    fd = _call(_PROG_LOAD, attributes)
    if fd < 0:
        number = ctypes.get_errno()
        # Only now, for writing a log makes each load slow.
        attributes.log_level, attributes.log_size = 1, _LOG_BYTES
        attributes.log_buf = ctypes.addressof(log)
        fd = _call(_PROG_LOAD, attributes)
        if fd < 0:
            words = log.value.decode(errors="replace")
            raise KernelRefusal(f"load the program {name}", number, words)
    return fd


def open_raw_tracepoint(name: str, program: int, *, typed: bool = False) -> int:
    """Attach; the descriptor holds the attachment. Raises KernelRefusal.

    ``typed``: the program was loaded for this tracepoint and no other (``type_id``).
    """
    text = ctypes.create_string_buffer(name.encode("ascii"))
    place = 0 if typed else ctypes.addressof(text)
    fd = _call(_TRACEPOINT_OPEN, _TracepointOpen(place, program))
    if fd < 0:
        raise KernelRefusal(f"attach a probe to {name}", ctypes.get_errno())
    return fd


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
            error = _bpf(_DELETE_BATCH, attributes)
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
            error = _bpf(_LOOKUP_BATCH, attributes)
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
            if _bpf(_NEXT_KEY, attributes):
                break
            key = following.raw
            if key in found:  # deleted under our hands: the kernel began anew
                break
            value = self.get(key)
            if value is not None:
                found[key] = value
        yield from found.items()


class _Id(ctypes.Structure):
    _fields_ = (
        ("id", ctypes.c_uint32),
        ("next_id", ctypes.c_uint32),
        ("open_flags", ctypes.c_uint32),
    )


def program_ids() -> tuple[int, ...]:
    """Every BPF program in the kernel, whoever loaded it. Needs CAP_SYS_ADMIN; raises OSError."""
    ids: list[int] = []
    while True:
        attributes = _Id(ids[-1] if ids else 0)
        error = _bpf(_PROGRAM_NEXT_ID, attributes)
        if error == errno.ENOENT:
            return tuple(ids)
        if error:
            raise OSError(error, os.strerror(error))
        ids.append(attributes.next_id)


def descriptor_figure(fd: int, name: str) -> int:
    """A number that the kernel tells of a map or program ("memlock", "recursion_misses")."""
    wanted = name.encode()
    for line in read_file(f"/proc/self/fdinfo/{fd}").splitlines():
        key, _, value = line.partition(b":")
        if key == wanted:
            return int(value)
    return 0

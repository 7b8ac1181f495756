# SPDX-License-Identifier: Apache-2.0
"""The bpf(2) system call: make maps, load programs, attach them; no bcc here.

Attributes are ``union bpf_attr`` of include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform

from iotrace.privileges.syscall_filter import BPF
from iotrace.procfs.files import read_file

_MAP_CREATE, _PROG_LOAD, _PROGRAM_NEXT_ID, _TRACEPOINT_OPEN = 0, 5, 11, 17
_PROGRAM_PERF_EVENT, _PROGRAM_RAW_TRACEPOINT, _PROGRAM_TRACING = 7, 17, 26
_TYPED_RAW_TRACEPOINT = 23
"""BPF_TRACE_RAW_TP"""
_LOG_BYTES = 1 << 20
_LICENSE = b"Dual BSD/GPL"
"""The probes' SPDX line, in the kernel's words (include/linux/license.h)."""

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


def _call(command: int, attributes: ctypes.Structure) -> int:
    """What the system call returns; -1: see ctypes.get_errno()."""
    result: int = _libc.syscall(
        BPF[platform.machine()],
        command,
        ctypes.byref(attributes),
        ctypes.sizeof(attributes),
    )
    return result


def bpf(command: int, attributes: ctypes.Structure) -> int:
    """The system call: 0, or the errno."""
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
        error = bpf(_PROGRAM_NEXT_ID, attributes)
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

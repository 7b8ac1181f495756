# SPDX-License-Identifier: Apache-2.0
"""Struct offsets and tracepoints of the running kernel, from /sys/kernel/btf/vmlinux.

Reads through libbpf (it comes with bcc), by ctypes: parsing 5 MB of BTF in Python would cost
more than everything else that attaching does. Type encoding: Documentation/bpf/btf.rst.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

from iotrace.errors import Unsupported

VMLINUX = Path("/sys/kernel/btf/vmlinux")
_LIBRARIES = ("libbcc_bpf.so.0", "libbpf.so.1", "libbpf.so.0", "libbcc.so.0")

_KIND_PTR, _KIND_STRUCT, _KIND_UNION, _KIND_ENUM = 2, 4, 5, 6
_KIND_TYPEDEF, _KIND_FUNC, _KIND_FUNC_PROTO = 8, 12, 13
_MODIFIERS = (8, 9, 10, 11, 18)
"""typedef, volatile, const, restrict, type tag."""


class _Type(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_uint32),
        ("info", ctypes.c_uint32),
        ("size_or_type", ctypes.c_uint32),
    )


def _library() -> ctypes.CDLL:
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            find = library.btf__find_by_name_kind
        except (OSError, AttributeError):
            continue
        library.btf__parse.restype = ctypes.c_void_p
        library.btf__parse.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
        find.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32)
        find.restype = ctypes.c_int32
        library.btf__type_by_id.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        library.btf__type_by_id.restype = ctypes.c_void_p
        library.btf__name_by_offset.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        library.btf__name_by_offset.restype = ctypes.c_char_p
        return library
    raise Unsupported(
        "No library here can read the kernel's type information.",
        why="libbcc_bpf.so.0 and libbpf.so.1 are both missing or too old.",
        paste="sudo apt-get install python3-bpfcc libbpf1",
    )


class KernelTypes:
    """The running kernel's types."""

    def __init__(self) -> None:
        if not VMLINUX.exists():
            raise Unsupported(
                "This kernel does not describe its own types (BTF).",
                why=f"{VMLINUX} is missing: the kernel was built without CONFIG_DEBUG_INFO_BTF.",
                paste="grep CONFIG_DEBUG_INFO_BTF /boot/config-$(uname -r)",
            )
        self._lib = _library()
        self._known: dict[tuple[str, int], int] = {}
        self._btf = self._lib.btf__parse(bytes(VMLINUX), None)
        if not self._btf or self._btf > 2**63:
            raise Unsupported(
                "The kernel's type information cannot be read.",
                why=f"libbpf refuses {VMLINUX}; it may be older than the kernel.",
                paste="sudo apt-get install --only-upgrade libbpf1 python3-bpfcc",
            )

    def _type(self, type_id: int) -> tuple[_Type, int, int]:
        """The type, its kind, and the address of what follows it."""
        address = self._lib.btf__type_by_id(self._btf, type_id)
        found = _Type.from_address(address)
        return found, (found.info >> 24) & 0x1F, address + ctypes.sizeof(_Type)

    def _name(self, offset: int) -> str:
        return (self._lib.btf__name_by_offset(self._btf, offset) or b"").decode()

    def _members(self, type_id: int) -> Iterator[tuple[str, int, int]]:
        """(name, type id, byte offset) of each member of a struct or union."""
        found, _, address = self._type(type_id)
        words = (ctypes.c_uint32 * (3 * (found.info & 0xFFFF))).from_address(address)
        bitfields = found.info >> 31
        for i in range(0, len(words), 3):
            bits = words[i + 2] & 0xFFFFFF if bitfields else words[i + 2]
            yield self._name(words[i]), words[i + 1], bits // 8

    def _resolve(self, type_id: int) -> int:
        found, kind, _ = self._type(type_id)
        while kind in _MODIFIERS:
            type_id = found.size_or_type
            found, kind, _ = self._type(type_id)
        return type_id

    def _member(self, type_id: int, name: str) -> tuple[int, int] | None:
        """(offset, type id) of a member, looked for in anonymous members too."""
        for member, member_type, offset in self._members(type_id):
            if member == name:
                return offset, member_type
            if not member:
                inner = self._resolve(member_type)
                if self._type(inner)[1] in (_KIND_STRUCT, _KIND_UNION):
                    below = self._member(inner, name)
                    if below:
                        return offset + below[0], below[1]
        return None

    def offset(self, struct: str, path: str) -> int | None:
        """Byte offset of ``path`` ("f_path.dentry") in a struct; None: this kernel lacks it."""
        type_id = self._id(struct, _KIND_STRUCT)
        if not type_id:
            return None
        total = 0
        for name in path.split("."):
            found = self._member(self._resolve(type_id), name)
            if not found:
                return None
            total += found[0]
            type_id = found[1]
        return total

    def tracepoint_arguments(self, name: str) -> int | None:
        """How many arguments a raw tracepoint gives; None: this kernel has no such tracepoint."""
        type_id = self.tracepoint_type(name)
        if not type_id:
            return None
        pointer, kind, _ = self._type(self._resolve(type_id))
        if kind != _KIND_PTR:
            return None
        proto, kind, _ = self._type(self._resolve(pointer.size_or_type))
        # The first parameter is the void * that every tracepoint probe gets.
        return (proto.info & 0xFFFF) - 1 if kind == _KIND_FUNC_PROTO else None

    def _id(self, name: str, kind: int) -> int:
        """0: there is none. libbpf looks through all types each time."""
        known = self._known.get((name, kind))
        if known is None:
            found = self._lib.btf__find_by_name_kind(self._btf, name.encode(), kind)
            known = self._known[name, kind] = max(int(found), 0)
        return known

    def tracepoint_type(self, name: str) -> int:
        """The id of the type of a raw tracepoint's probes; 0: this kernel has none such."""
        return self._id(f"btf_trace_{name}", _KIND_TYPEDEF)

    def typedef(self, name: str) -> int:
        """The id of a typedef; 0: this kernel has none such."""
        return self._id(name, _KIND_TYPEDEF)

    def struct(self, name: str) -> int:
        """The id of a struct; 0: this kernel has none such."""
        return self._id(name, _KIND_STRUCT)

    def function(self, name: str) -> int:
        """The id of a function, as probes call it (a kfunc); 0: this kernel has none such."""
        return self._id(name, _KIND_FUNC)

    def argument_is_pointer(self, name: str, index: int) -> bool:
        """Whether argument ``index`` of a raw tracepoint (which must exist) is a pointer."""
        type_id = self.tracepoint_type(name)
        pointer, _, _ = self._type(self._resolve(type_id))
        proto, _, address = self._type(self._resolve(pointer.size_or_type))
        words = (ctypes.c_uint32 * (2 * (proto.info & 0xFFFF))).from_address(address)
        return self._type(self._resolve(words[2 * (index + 1) + 1]))[1] == _KIND_PTR

    def has_helper(self, name: str) -> bool:
        """Whether the kernel has the BPF helper ``bpf_<name>`` (an enumerator of bpf_func_id)."""
        type_id = self._id("bpf_func_id", _KIND_ENUM)
        if not type_id:
            return False
        found, _, address = self._type(type_id)
        words = (ctypes.c_uint32 * (2 * (found.info & 0xFFFF))).from_address(address)
        wanted = f"BPF_FUNC_{name}"
        return any(self._name(words[i]) == wanted for i in range(0, len(words), 2))

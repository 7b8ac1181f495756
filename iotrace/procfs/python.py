# SPDX-License-Identifier: Apache-2.0
"""Whether a process is CPython and which version, from its mapped files: nothing is executed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from iotrace.procfs.elf import Elf, ReadAt, find_dynamic_symbols, parse_elf
from iotrace.procfs.files import PROC
from iotrace.procfs.maps import Mapping, iterate_maps
from iotrace.procfs.process import read_exe
from iotrace.procfs.target_files import open_mapped

_RUNTIME = "_PyRuntime"  # from 3.7 on
_VERSION = "Py_Version"  # from 3.11 on
_GET_VERSION = "Py_GetVersion"  # in all of them
_CODE_TYPE, _TEXT_TYPE = "PyCode_Type", "PyUnicode_Type"
_COOKIE = b"xdebugpy"  # from 3.13 on: Include/internal/pycore_debug_offsets.h
_RELEASE_LEVELS = {0xA: "a", 0xB: "b", 0xC: "rc", 0xF: ""}
_LIKELY_NAME = re.compile(r"(?:lib)?python[^/]*")
_NAMED_VERSION = re.compile(r"python(\d\.\d{1,2})")
_DELETED = " (deleted)"
_CONSTANTS_BYTES = 1 << 24
_CANDIDATES = 16
_FILE_BYTES = 1 << 25
"""As much of one file is read at most, all parts together: of a real one, 3 MB are."""


@dataclass(frozen=True, slots=True)
class PythonBuild:
    """The CPython in a process; a program that embeds it (gdb, uwsgi) counts too.

    ``version``: "3.11.2", "3.14.0rc1"; "3.10" or "3" where the file tells no more.
    ``path``: the file that holds the interpreter, as the process sees it; ``load_bias``: what was
    added to that file's addresses. ``runtime_address``: of ``_PyRuntime`` in the process's
    memory, None before 3.7. ``free_threaded``: built without a GIL. ``code_type``,
    ``text_type``: of the types of code objects and str there, None: the file does not tell.
    """

    version: str
    path: str
    load_bias: int
    runtime_address: int | None
    free_threaded: bool
    code_type: int | None = None
    text_type: int | None = None


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What a file holds. ``runtime``: the address of ``_PyRuntime`` before relocation, as of the
    types."""

    version: str
    runtime: int | None
    free_threaded: bool
    code_type: int | None = None
    text_type: int | None = None


def parse_version_hex(number: int) -> str | None:
    """``PY_VERSION_HEX`` as text; None for a number that is none: Include/patchlevel.h."""
    major, minor, micro = number >> 24, number >> 16 & 0xFF, number >> 8 & 0xFF
    level = _RELEASE_LEVELS.get(number >> 4 & 0xF)
    if level is None or not 2 <= major <= 9:
        return None
    return f"{major}.{minor}.{micro}{level}" + (str(number & 0xF) if level else "")


def read_python(pid: int, root: str = PROC) -> PythonBuild | None:
    """None: it isn't CPython, or in a file that can't be read as 64-bit little-endian ELF.

    Raises ``NoSuchProcess``, ``PermissionDenied``, ``TooLarge``.
    """
    exe = read_exe(pid, root)
    candidates: dict[str, Mapping] = {}
    for mapping in iterate_maps(pid, root):
        if mapping.path in candidates:
            continue
        if mapping.path == exe:
            # Most often that is it, and the rest of the map need not be read.
            candidates[mapping.path] = mapping
            build = _readable_build(pid, mapping, root)
            if build is not None:
                return build
        elif len(candidates) < _CANDIDATES and _is_likely(mapping):
            candidates[mapping.path] = mapping
    others = (mapping for path, mapping in candidates.items() if path != exe)
    builds = (_readable_build(pid, mapping, root) for mapping in others)
    return next((build for build in builds if build is not None), None)


def _is_likely(mapping: Mapping) -> bool:
    return _LIKELY_NAME.match(mapping.path.rpartition("/")[2]) is not None


def _readable_build(pid: int, mapping: Mapping, root: str) -> PythonBuild | None:
    try:
        with opened_mapping(pid, mapping, root) as read:
            return _build_in(mapping, read)
    except (OSError, ValueError):
        return None


def _build_in(mapping: Mapping, read: ReadAt) -> PythonBuild | None:
    elf = parse_elf(read)
    bias = elf.load_bias(mapping.start, mapping.offset)
    interpreter = identify(elf, read, mapping.path)
    if bias is None or interpreter is None:
        return None
    return PythonBuild(
        version=interpreter.version,
        path=mapping.path,
        load_bias=bias,
        runtime_address=_relocated(interpreter.runtime, bias),
        free_threaded=interpreter.free_threaded,
        code_type=_relocated(interpreter.code_type, bias),
        text_type=_relocated(interpreter.text_type, bias),
    )


def _relocated(address: int | None, bias: int) -> int | None:
    return None if address is None else address + bias


def identify(elf: Elf, read: ReadAt, path: str) -> Interpreter | None:
    """The CPython that an ELF file holds; None if it holds none (or just uses one).

    ``path`` is asked last, and only where nothing in the file is as good. Raises ``ValueError``
    for a damaged file.
    """
    wanted = (_RUNTIME, _VERSION, _GET_VERSION, _CODE_TYPE, _TEXT_TYPE)
    symbols = find_dynamic_symbols(elf, read, wanted)
    runtime = symbols.get(_RUNTIME)
    if runtime is None and _GET_VERSION not in symbols:
        return None
    head = b"" if runtime is None else _bytes_at(elf, read, runtime, 24)
    described = len(head) == 24 and head.startswith(_COOKIE)
    version = None
    if _VERSION in symbols:
        version = _version_at(elf, read, symbols[_VERSION])
    if version is None and described:
        version = parse_version_hex(int.from_bytes(head[8:16], "little"))
    if version is None:
        version = _named_version(elf, read, path)
    if version is None and runtime is not None:
        version = "3"
    if version is None:
        return None
    free_threaded = described and any(head[16:24])
    types = symbols.get(_CODE_TYPE), symbols.get(_TEXT_TYPE)
    return Interpreter(version, runtime, free_threaded, *types)


def _bytes_at(elf: Elf, read: ReadAt, address: int, size: int) -> bytes:
    offset = elf.file_offset(address)
    return b"" if offset is None else read(offset, size)


def _version_at(elf: Elf, read: ReadAt, address: int) -> str | None:
    return parse_version_hex(int.from_bytes(_bytes_at(elf, read, address, 8), "little"))


def _named_version(elf: Elf, read: ReadAt, path: str) -> str | None:
    # Before 3.11 no symbol tells. The name has the minor version, and the constants have the whole
    # as a string; it counts if no other one of that minor version is beside it.
    match = _NAMED_VERSION.search(path.rpartition("/")[2])
    if match is None:
        return None
    section = elf.section(".rodata")
    if section is None:
        return match[1]
    constants = read(section.offset, min(section.size_bytes, _CONSTANTS_BYTES))
    whole = (
        rb"(?<![\d.])(" + re.escape(match[1].encode()) + rb"\.\d{1,2}(?:(?:a|b|rc)\d{1,3})?)\+?\0"
    )
    only = None
    for found in re.finditer(whole, constants):
        if only not in (None, found[1]):
            return match[1]
        only = found[1]
    return match[1] if only is None else only.decode("ascii")


@contextmanager
def opened_mapping(pid: int, mapping: Mapping, root: str = PROC) -> Iterator[ReadAt]:
    """The file that a process has mapped. Raises OSError; reading it raises ValueError."""
    path = mapping.path.removesuffix(_DELETED)
    descriptor = open_mapped(pid, mapping.start, mapping.end, path, root)
    try:
        size = os.fstat(descriptor).st_size
        left = _FILE_BYTES

        def read_at(offset: int, length: int) -> bytes:
            nonlocal left
            length = max(0, min(length, size - offset))
            left -= length
            if left < 0:
                raise ValueError("a file that has to be read over and over")
            return os.pread(descriptor, length, offset) if length else b""

        yield read_at
    finally:
        os.close(descriptor)

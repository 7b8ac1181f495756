# SPDX-License-Identifier: Apache-2.0
"""Finds what asyncio says of its tasks: ELF section .AsyncioDebug, of 3.14 and later.

It is in the file that holds the module _asyncio: one of its own, or the interpreter.
"""

from __future__ import annotations

import re

from iotrace.asyncio_tasks.object_layout import (
    ASYNCIO_DEBUG_BYTES,
    TABLES,
    Layout,
    described_layout,
)
from iotrace.procfs.elf import parse_elf
from iotrace.procfs.files import PROC
from iotrace.procfs.maps import Mapping, iterate_maps
from iotrace.procfs.python import PythonBuild, opened_mapping
from iotrace.pystack.described import SECTIONS, Described, read_described
from iotrace.pystack.memory import Memory, Unreadable
from iotrace.pystack.runtime import Runtime

_SECTION = ".AsyncioDebug"
_LIKELY_NAME = re.compile(r"(_asyncio|(lib)?python)[^/]*")
_MOST_FILES = 16
_VERSION = re.compile(r"(\d+)\.(\d+)")


def find_layout(
    pid: int, build: PythonBuild, runtime: Runtime, memory: Memory, root: str = PROC
) -> Layout:
    """Where this interpreter keeps its tasks. Raises Unreadable, with the reason."""
    match = _VERSION.match(build.version)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version in TABLES:
        return TABLES[version]
    if version < min(SECTIONS):
        raise Unreadable(f"the tasks of Python {build.version} are kept in another way")
    read_as = None if runtime.read_as is None else _VERSION.match(runtime.read_as)
    members = (int(read_as[1]), int(read_as[2])) if read_as else None
    told = read_described(memory, runtime.address, members)
    if told.free_threaded and told.version < (3, 14):
        raise Unreadable(f"the tasks of Python {build.version} without a GIL: not tried")
    return described_layout(told, read_section(pid, told, memory, root))


def read_section(pid: int, told: Described, memory: Memory, root: str = PROC) -> bytes:
    """.AsyncioDebug as it is in memory; b"" before 3.14, or where there is none.

    Raises Unreadable.
    """
    if told.version < (3, 14):
        return b""
    seen: set[str] = set()
    for mapping in iterate_maps(pid, root):
        name = mapping.path.rpartition("/")[2]
        if mapping.path in seen or not _LIKELY_NAME.match(name) or len(seen) >= _MOST_FILES:
            continue
        seen.add(mapping.path)
        address = _address(pid, mapping, root)
        if address is not None:
            return memory.read(address, ASYNCIO_DEBUG_BYTES)
    return b""


def _address(pid: int, mapping: Mapping, root: str) -> int | None:
    """Of the section in the process's memory; None: the file has none."""
    try:
        with opened_mapping(pid, mapping, root) as read:
            elf = parse_elf(read)
    except (OSError, ValueError):
        return None
    section = elf.section(_SECTION)
    bias = elf.load_bias(mapping.start, mapping.offset)
    if section is None or bias is None or section.size_bytes != ASYNCIO_DEBUG_BYTES:
        return None
    for segment in elf.segments:
        if 0 <= section.offset - segment.offset < segment.size_bytes:
            return section.offset - segment.offset + segment.address + bias
    return None

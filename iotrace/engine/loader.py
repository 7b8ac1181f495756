"""The only importer of bcc: compile the program, load it, attach it.

Runs in a short-lived child (see handover.py), for clang and LLVM stay in the memory of any
process that has used them.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from dataclasses import dataclass
from typing import Any

from iotrace.engine.bpf import HashMap
from iotrace.engine.btf import KernelTypes
from iotrace.engine.constants import CallFlag, Counter
from iotrace.engine.layout import parse_layout
from iotrace.engine.program import Limits, build_program, header_tree
from iotrace.engine.syscalls import ARCHITECTURES, call_specs
from iotrace.errors import PermissionDenied, Unsupported


@dataclass(frozen=True, slots=True)
class Map:
    """One kernel map: its descriptor and the layout of its values as bcc tells it."""

    fd: int
    key_size: int
    value_size: int
    entries: int
    layout: str


@dataclass(frozen=True, slots=True)
class Attached:
    """What runs in the kernel now. It stays as long as somebody holds ``links``."""

    maps: dict[str, Map]
    programs: dict[str, int]
    links: dict[str, int]
    unavailable: dict[str, str]


def _missing_bcc(error: ImportError) -> Unsupported:
    return Unsupported(
        "This Python cannot import bcc.",
        why=f"{error}. bcc is a distribution package; the one on PyPI is something else, and a "
        "virtual environment sees it only when made with --system-site-packages.",
        paste="sudo apt-get install python3-bpfcc && "
        "/usr/bin/python3 -m venv --system-site-packages .venv",
    )


def compile_and_attach(limits: Limits, absent: frozenset[str] = frozenset()) -> Attached:
    """Compile, load, and attach every probe that this kernel has a tracepoint for.

    Raises Unsupported (no bcc, no BTF, the program is refused) or PermissionDenied.
    """
    os.environ["BCC_KERNEL_SOURCE"] = str(header_tree())
    try:
        from bcc import BPF, lib
    except ImportError as error:
        raise _missing_bcc(error) from error

    program = build_program(KernelTypes(), platform.machine(), limits, absent)
    try:
        bpf = BPF(text=program.source, cflags=list(program.cflags))
    except Exception as error:
        raise Unsupported(
            "The probes could not be compiled.",
            why=f"bcc says: {error}. Its compiler's own words are in the details (-v).",
            paste="iotrace doctor",
        ) from error

    maps = _maps(bpf, lib)
    _fill(maps, limits)
    programs, links, unavailable = {}, {}, dict(program.unavailable)
    for probe in program.probes:
        name = probe.function.encode()
        try:
            programs[probe.function] = bpf.load_func(name, BPF.RAW_TRACEPOINT).fd
            bpf.attach_raw_tracepoint(probe.tracepoint.encode(), name)
        except Exception as error:
            if not probe.loses:
                raise _refused(probe.tracepoint, error) from error
            for column in probe.loses:
                unavailable[column] = f"the kernel refused the probe on {probe.tracepoint}"
            continue
        links[probe.tracepoint] = bpf.raw_tracepoint_fds[probe.tracepoint.encode()]

    return Attached(maps, programs, links, unavailable)


def _maps(bpf: Any, lib: Any) -> dict[str, Map]:
    """Every map that bcc made, by its name in the C sources."""
    maps = {}
    lib.bpf_table_name.restype = ctypes.c_char_p
    for index in range(lib.bpf_num_tables(bpf.module)):
        name = lib.bpf_table_name(bpf.module, index)
        maps[name.decode()] = Map(
            lib.bpf_table_fd_id(bpf.module, index),
            lib.bpf_table_key_size_id(bpf.module, index),
            lib.bpf_table_leaf_size_id(bpf.module, index),
            lib.bpf_table_max_entries_id(bpf.module, index),
            (lib.bpf_table_leaf_desc(bpf.module, name) or b"").decode(),
        )
    return maps


def _fill(maps: dict[str, Map], limits: Limits) -> None:
    """What the probes must know before the first of them runs."""
    specs = maps["call_specs"]
    layout = parse_layout(specs.layout)
    table = HashMap(specs.fd, specs.key_size, specs.value_size)
    for number, spec in call_specs(ARCHITECTURES[platform.machine()]).items():
        flags = spec.flags
        if (spec.fd, spec.loop, spec.size) == (-1, 0, -1):
            flags |= CallFlag.NO_ARGUMENTS
        values = {
            "listed": 1,
            "wait_class": spec.wait_class,
            "loop": spec.loop,
            "flags": flags,
            "fd_arg": spec.fd,
            "size_arg": spec.size,
            "timeout_arg": spec.timeout,
            "nfds_arg": spec.nfds,
            "buffer_arg": spec.buffer,
            "msg_flags_arg": spec.msg_flags,
        }
        table.update(struct.pack("<I", number), bytes(layout.pack(values)))
    counters = maps["counters"]
    HashMap(counters.fd, 4, 8).update(
        struct.pack("<I", Counter.THREADS), struct.pack("<Q", limits.reserved)
    )


def _refused(tracepoint: str, error: Exception) -> PermissionDenied | Unsupported:
    if os.geteuid() != 0 or "Operation not permitted" in str(error):
        return PermissionDenied(
            f"The kernel does not let this user attach a probe to {tracepoint}.",
            why="BPF tracing needs root, or CAP_BPF and CAP_PERFMON.",
            paste="sudo iotrace ...",
        )
    return Unsupported(
        f"The kernel refused the probe on {tracepoint}.",
        why=f"bcc says: {error}. The verifier's own words are in the details (-v).",
        paste="iotrace doctor",
    )

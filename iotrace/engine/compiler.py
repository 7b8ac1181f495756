# SPDX-License-Identifier: Apache-2.0
"""The only importer of bcc: compile the probes to an image.

Runs in short-lived children (see compile_workers.py), for clang and LLVM stay in the memory of any
process that has used them.
"""

from __future__ import annotations

import base64
import ctypes
import os
import platform
import struct
import threading
from typing import Any

from iotrace.engine.btf import KernelTypes
from iotrace.engine.constants import (
    CAST_CALL,
    COPY_MARK,
    PREEMPT_DISABLE_CALL,
    PREEMPT_ENABLE_CALL,
)
from iotrace.engine.image import Function, Image, MapSpec
from iotrace.engine.map_limits import Limits
from iotrace.engine.probe_sources import header_tree, prelude_flags
from iotrace.engine.program import Program, build_program
from iotrace.engine.tracepoints import Part, Probe, copy_name
from iotrace.errors import Unsupported
from iotrace.privileges.capabilities import refused

_INSTRUCTION_BYTES = 8
_LOAD_IMMEDIATE_64 = 0x18
_PSEUDO_MAP_FD = 1
"""src_reg of an instruction that loads a map's address (include/uapi/linux/bpf.h)."""
_CALL, _PSEUDO_KFUNC_CALL = 0x85, 2
_KFUNCS = {
    CAST_CALL: "bpf_rdonly_cast",
    PREEMPT_DISABLE_CALL: "bpf_preempt_disable",
    PREEMPT_ENABLE_CALL: "bpf_preempt_enable",
}
_MOVE_IMMEDIATE = (0xB7, 0xB4)
"""BPF_ALU64 and BPF_ALU, BPF_MOV | BPF_K"""


def _missing_bcc(error: ImportError) -> Unsupported:
    return Unsupported(
        "This Python cannot import bcc.",
        why=f"{error}. bcc is a distribution package; the one on PyPI is something else, and a "
        "virtual environment sees it only when made with --system-site-packages.",
        paste="sudo apt-get install python3-bpfcc && "
        "/usr/bin/python3 -m venv --system-site-packages .venv",
    )


def describe_bcc() -> str:
    """Its version, and where it lies. Raises ImportError, AssertionError."""
    import bcc

    assert hasattr(bcc, "BPF"), "that is another package: bcc comes from the distribution, not PyPI"
    return f"{getattr(bcc, '__version__', 'of unknown version')} {bcc.__file__}"


def try_compiler() -> None:
    """Compile a program; raises, or ends the process, where clang does. To be called in a child."""
    _leave_caller()
    from bcc import BPF

    BPF(text="int nothing(void *ctx) { return 0; }").dump_func(b"nothing")


class Compiler:
    """bcc and the kernel's types, loaded."""

    def __init__(self) -> None:
        """Changes this process's directory and environment. Raises Unsupported (no bcc, no BTF)."""
        _leave_caller()
        reading = _Reading()  # on another CPU, while libbcc is being loaded
        try:
            from bcc import BPF, lib
        except ImportError as error:
            raise _missing_bcc(error) from error
        self._bpf, self._lib = BPF, lib
        self._types = reading.types()

    def compile(
        self, limits: Limits, absent: frozenset[str], namespaced: bool, part: Part
    ) -> Image:
        """Compile every probe of that part that this kernel has a tracepoint for.

        ``absent``: features to treat as if they were not there; ``namespaced`` as in build_program.
        Raises Unsupported (not compilable) or PermissionDenied.
        """
        types = self._types
        program = build_program(types, platform.machine(), limits, absent, namespaced, part=part)
        try:
            bpf, own_prelude = self._module(program)
        except Exception as error:
            denied = refused("make its maps", error)
            raise denied or Unsupported(
                "The probes could not be compiled.",
                why=f"bcc says: {error}. The compiler's output is in the details (-v).",
                paste="iotrace doctor",
            ) from error
        names, maps = _maps(bpf, self._lib)
        return Image(
            maps=maps,
            functions=tuple(
                _function(bpf.dump_func(probe.function.encode()), probe, names, types, copy)
                for probe in program.probes
                for copy in range(probe.copies if program.preemptible else 1)
            ),
            unavailable=dict(program.unavailable),
            own_prelude=own_prelude,
        )

    def _module(self, program: Program) -> tuple[Any, bool]:
        """bcc's module, and whether our prelude did. Raises whatever bcc raises."""
        flags = list(program.cflags)
        try:
            return self._bpf(text=program.source, cflags=[*flags, *prelude_flags()]), True
        except Exception:  # this bcc wants a prelude of its own
            return self._bpf(text=program.source, cflags=flags), False


def _leave_caller() -> None:
    """Nothing that the caller of iotrace controls has a say in what is compiled.

    bcc lets clang search the current directory before all others, for headers in ``<>`` as well.
    clang adds directories from CPATH and C_INCLUDE_PATH; bcc reads BCC_* and TMPDIR.
    """
    os.chdir(header_tree())
    os.environ.clear()
    ctypes.CDLL(None).clearenv()  # what Python could not read as NAME=VALUE
    os.environ["BCC_KERNEL_SOURCE"] = str(header_tree())


class _Reading(threading.Thread):
    """Reads the kernel's types; most of it is one call outside of Python."""

    def __init__(self) -> None:
        super().__init__()
        self._types: KernelTypes | None = None
        self._error: Unsupported | None = None
        try:
            self.start()
        except RuntimeError:  # no thread more for this process
            self.run()

    def run(self) -> None:
        try:
            self._types = KernelTypes()
        except Unsupported as error:
            self._error = error

    def types(self) -> KernelTypes:
        """Waits for it. Raises Unsupported."""
        if self.is_alive():
            self.join()
        if self._types is None:
            raise self._error or Unsupported("The kernel's types cannot be read.")
        return self._types


def _maps(bpf: Any, lib: Any) -> tuple[dict[int, str], dict[str, MapSpec]]:
    """Names by descriptor, and specs by name, of every map that bcc made."""
    names, specs = {}, {}
    lib.bpf_table_name.restype = ctypes.c_char_p
    for index in range(lib.bpf_num_tables(bpf.module)):
        name = lib.bpf_table_name(bpf.module, index)
        names[lib.bpf_table_fd_id(bpf.module, index)] = name.decode()
        specs[name.decode()] = MapSpec(
            type=lib.bpf_table_type_id(bpf.module, index),
            key_size=lib.bpf_table_key_size_id(bpf.module, index),
            value_size=lib.bpf_table_leaf_size_id(bpf.module, index),
            entries=lib.bpf_table_max_entries_id(bpf.module, index),
            flags=lib.bpf_table_flags_id(bpf.module, index),
            layout=(lib.bpf_table_leaf_desc(bpf.module, name) or b"").decode(),
        )
    return names, specs


def _function(
    code: bytes, probe: Probe, maps: dict[int, str], types: KernelTypes, copy: int
) -> Function:
    """Replace the descriptors of bcc's maps by their names, and what stands for a kfunc by it.

    ``copy``: which copy of the program to make; those after the first (0) are spare.
    """
    plain = bytearray(code)
    places = []
    for at in range(0, len(code), _INSTRUCTION_BYTES):
        opcode, registers = code[at], code[at + 1]
        immediate = struct.unpack_from("<i", code, at + 4)[0]
        if opcode == _LOAD_IMMEDIATE_64 and registers >> 4 == _PSEUDO_MAP_FD:
            places.append((at // _INSTRUCTION_BYTES, maps[immediate]))
            struct.pack_into("<i", plain, at + 4, 0)
        elif opcode == _CALL and immediate in _KFUNCS:
            kfunc = types.function(_KFUNCS[immediate])
            struct.pack_into("<BBhi", plain, at, _CALL, _PSEUDO_KFUNC_CALL << 4, 0, kfunc)
        elif opcode in _MOVE_IMMEDIATE and immediate == COPY_MARK:
            struct.pack_into("<i", plain, at + 4, copy)
    return Function(
        tracepoint=probe.tracepoint,
        name=copy_name(probe.function, copy),
        loses=probe.loses,
        instructions=base64.b64encode(plain).decode(),
        maps=tuple(places),
        attachment=probe.attachment,
        slot=probe.slot,
        table=probe.table,
        type_id=types.tracepoint_type(probe.tracepoint) if probe.typed else 0,
    )

# SPDX-License-Identifier: Apache-2.0
"""Loads BPF programs on all CPUs: the kernel's verifier takes long, and one CPU for each."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable

from iotrace.engine.attached import Attached, start_thread
from iotrace.engine.bpf_syscall import KernelRefusal, load_program
from iotrace.engine.image import Function
from iotrace.engine.perf_events import online_cpus

_INSTRUCTION_BYTES = 8
_LOADERS = 4
"""Threads at most: three of the programs take longer than all the others."""


class ProgramLoading:
    """What is loaded is in ``attached.programs``."""

    def __init__(self, attached: Attached) -> None:
        self._attached = attached
        self._lock = threading.Lock()
        self._waiting: list[Function] = []
        self._refusals: dict[str, KernelRefusal | None] = {}
        self._threads: list[threading.Thread] = []

    def add(self, functions: Iterable[Function]) -> None:
        """The longest first: ``finish`` is one thread more."""
        with self._lock:
            self._waiting += functions
            self._waiting.sort(key=lambda function: len(function.instructions))
        at_it = sum(thread.is_alive() for thread in self._threads)
        for _ in online_cpus()[at_it + 1 : _LOADERS]:
            if thread := start_thread(self._load):
                self._threads.append(thread)

    def finish(self) -> dict[str, KernelRefusal | None]:
        """Why the kernel refused any."""
        self._load()
        while self._threads:
            self._threads.pop().join()
        return self._refusals

    def stop(self) -> None:
        """Load no more."""
        with self._lock:
            self._waiting.clear()
        self.finish()

    def _next(self) -> Function | None:
        with self._lock:
            return self._waiting.pop() if self._waiting else None

    def _load(self) -> None:
        while function := self._next():
            code = bytearray(function.code)
            for at, name in function.maps:
                fd = self._attached.maps[name].fd
                struct.pack_into("<i", code, at * _INSTRUCTION_BYTES + 4, fd)
            self._refusals[function.name] = None
            try:
                program = load_program(
                    function.name,
                    bytes(code),
                    samples=function.attachment in ("sample", "major fault"),
                    type_id=function.type_id,
                )
                self._attached.programs[function.name] = program
            except KernelRefusal as refusal:
                self._refusals[function.name] = refusal

"""Put an image into the kernel: make its maps, load its programs, attach them."""

from __future__ import annotations

import errno
import os
import platform
import resource
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from iotrace.engine.bpf_syscall import (
    HashMap,
    KernelRefusal,
    create_map,
    load_program,
    open_raw_tracepoint,
)
from iotrace.engine.constants import SAMPLES_HZ, CallFlag, Counter
from iotrace.engine.cpu_clock import online_cpus, open_clock
from iotrace.engine.image import Function, Image
from iotrace.engine.program import Limits
from iotrace.engine.record_layout import Layout, parse_layout
from iotrace.engine.syscalls import ARCHITECTURES, call_specs
from iotrace.engine.tracepoints import PYTHON_PROBES, attach_order
from iotrace.errors import IotraceError, Unsupported
from iotrace.privileges.capabilities import refused

_INSTRUCTION_BYTES = 8
_LOADERS = 4
"""Threads at most: three of the programs take longer than all the others."""


@dataclass(frozen=True, slots=True)
class Map:
    """One kernel map by its descriptor."""

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
    loading: list[threading.Thread] = field(default_factory=list)

    def settle(self) -> None:
        """Wait for what is still being loaded: see install."""
        while self.loading:
            self.loading.pop().join()

    def close(self) -> None:
        """Give everything back: the probes are gone with it."""
        self.settle()
        for fd in (*self.links.values(), *self.programs.values()):
            os.close(fd)
        for one in self.maps.values():
            os.close(one.fd)
        for table in (self.links, self.programs, self.maps):
            table.clear()


Later = Callable[[], Sequence[Function]]


def install(images: Iterable[Image], limits: Limits, later: Later, namespace: int = 0) -> Attached:
    """Make, load, attach. ``namespace``: inode of the PID namespace whose ids are meant.

    ``images`` may come one by one: the first are verified while the compiler still works on the
    next. ``later`` gives the programs that follow Python's stacks: no time is lost without them,
    the verifier takes longest for them, so they are still being loaded when this returns. It
    may raise an IotraceError, and then there are none.
    Raises Unsupported or PermissionDenied; nothing is left then."""
    _lift_memory_limit()
    attached = Attached({}, {}, {}, {})
    loading = _Loading(attached)
    try:
        functions: list[Function] = []
        for image in images:
            attached.unavailable.update(image.unavailable)
            if _make_maps(image, attached):
                _fill(attached.maps, limits, namespace)
            loading.add(image.functions)
            functions += image.functions
        refusals = loading.finish()
        for function in sorted(functions, key=lambda one: attach_order(one.name)):
            _attach(function, refusals[function.name], attached)
        thread = _start(partial(_load_later, later, attached))
        if thread:
            attached.loading.append(thread)
        else:
            _load_later(later, attached)
    except KernelRefusal as error:
        loading.stop()
        attached.close()
        raise refused(error.what, error) or _impossible(error) from error
    except BaseException:
        loading.stop()
        attached.close()
        raise
    return attached


def _make_maps(image: Image, attached: Attached) -> bool:
    """Those that are not there yet; whether these are the first."""
    first = not attached.maps
    for name, spec in image.maps.items():
        if name not in attached.maps:
            fd = create_map(
                name, spec.type, spec.key_size, spec.value_size, spec.entries, spec.flags
            )
            attached.maps[name] = Map(fd, spec.key_size, spec.value_size, spec.entries, spec.layout)
    return first


def _load_later(later: Later, attached: Attached) -> None:
    try:
        functions = later()
    except IotraceError as error:
        for column in (column for probe in PYTHON_PROBES for column in probe.loses):
            attached.unavailable[column] = error.what
        return
    loading = _Loading(attached)
    loading.add(functions)
    refusals = loading.finish()
    for function in functions:
        _attach(function, refusals[function.name], attached)


def _impossible(error: KernelRefusal) -> Unsupported:
    """What no privilege would mend: no memory, or a kernel that cannot do it."""
    if error.number == errno.ENOMEM:
        why = "The tables take some 40 MiB of kernel memory; a container's limit counts them too."
        paste = "free -m"
    else:
        why, paste = "The details are in -v." if error.log else "", "iotrace doctor"
    return Unsupported(
        f"The kernel does not let iotrace {error.what}.",
        why=f"{os.strerror(error.number)}. {why}".strip(),
        paste=paste,
        details=error.log,
    )


def _start(work: Callable[[], None]) -> threading.Thread | None:
    """A thread that does it; None where this process may not have one more."""
    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread


class _Loading:
    """Loads programs on all CPUs: the kernel's verifier takes long, and one CPU for each.

    What is loaded is in ``attached.programs``.
    """

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
            if thread := _start(self._load):
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
                    samples=function.attachment == "sample",
                    type_id=function.type_id,
                )
                self._attached.programs[function.name] = program
            except KernelRefusal as refusal:
                self._refusals[function.name] = refusal


def _attach(function: Function, refusal: KernelRefusal | None, attached: Attached) -> None:
    try:
        if refusal:
            raise refusal
        program = attached.programs[function.name]
        if function.attachment == "sample":
            for cpu in online_cpus():
                attached.links[f"CPU {cpu}"] = open_clock(cpu, SAMPLES_HZ, program)
        elif function.attachment == "tail call":
            walkers = HashMap(attached.maps["walkers"].fd, 4, 4)
            walkers.update(struct.pack("<I", function.slot), struct.pack("<I", program))
        else:
            attached.links[function.tracepoint] = open_raw_tracepoint(
                function.tracepoint, program, typed=bool(function.type_id)
            )
    except KernelRefusal:
        if not function.loses:
            raise
        where = function.tracepoint or "Python's stacks"
        for column in function.loses:
            attached.unavailable[column] = f"the kernel refused the probe on {where}"


def _lift_memory_limit() -> None:
    """Until 5.11 maps counted against RLIMIT_MEMLOCK (kernel commit 97306be45fbe)."""
    try:
        resource.setrlimit(
            resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
    except (OSError, ValueError):
        return


def _fill(maps: dict[str, Map], limits: Limits, namespace: int) -> None:
    """What the probes must know before the first of them runs."""
    specs = maps["call_specs"]
    layout = parse_layout(specs.layout)
    table = HashMap(specs.fd, specs.key_size, specs.value_size)
    for number, record in _call_records(layout).items():
        table.update(struct.pack("<I", number), record)
    HashMap(maps["counters"].fd, 4, 8).update(
        struct.pack("<I", Counter.THREADS), struct.pack("<Q", limits.reserved)
    )
    if "own_namespace" in maps:
        own = maps["own_namespace"]
        HashMap(own.fd, own.key_size, own.value_size).update(
            bytes(4), struct.pack("<QQQ", namespace, 0, 0)
        )


def _call_records(layout: Layout) -> dict[int, bytes]:
    """struct call_spec by system call number."""
    records = {}
    architecture = ARCHITECTURES[platform.machine()]
    for number, spec in call_specs(architecture).items():
        flags = spec.flags
        if (spec.fd, spec.loop, spec.size, spec.flags) == (-1, 0, -1, 0):
            flags |= CallFlag.NO_ARGUMENTS
        values = {
            "listed": 1,
            "wait_class": spec.wait_class,
            "loop": spec.loop,
            "flags": flags,
            "fd_arg": architecture.word(spec.fd),
            "size_arg": architecture.word(spec.size),
            "timeout_arg": architecture.word(spec.timeout),
            "nfds_arg": architecture.word(spec.nfds),
            "buffer_arg": architecture.word(spec.buffer),
            "msg_flags_arg": architecture.word(spec.msg_flags),
        }
        records[number] = bytes(layout.pack(values))
    return records

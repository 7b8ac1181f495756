# SPDX-License-Identifier: Apache-2.0
"""Put an image into the kernel: make its maps, load its programs, attach them."""

from __future__ import annotations

import errno
import os
import resource
import struct
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from iotrace.engine.attached import Attached, Map
from iotrace.engine.bpf_map import HashMap
from iotrace.engine.bpf_syscall import KernelRefusal, create_map, open_raw_tracepoint
from iotrace.engine.constants import SAMPLES_HZ
from iotrace.engine.image import Function, Image
from iotrace.engine.map_contents import fill_maps
from iotrace.engine.map_limits import Limits
from iotrace.engine.perf_events import (
    online_cpus,
    open_clock,
    open_major_faults,
    why_refused,
)
from iotrace.engine.program_loading import ProgramLoading
from iotrace.engine.tracepoints import EXIT_PROBES, PYTHON_PROBES, REQUESTS, attach_order
from iotrace.errors import IotraceError, Unsupported
from iotrace.privileges.capabilities import refused

_PYTHON = "Python's stacks"
_TAIL_CALLS = {"exits": "the ends of calls"}
PROBE_REFUSED = "the kernel refused the probe"
"""How the reason begins for which a column is n/a then."""
_PERF_EVENTS = {"sample": "the sampling clock", "major fault": "a counter of page faults"}
Later = Callable[[], Sequence[Function]]


def load(images: Iterable[Image], limits: Limits, later: Later, namespace: int = 0) -> Attached:
    """Make, load, attach. ``namespace``: inode of the PID namespace whose ids are meant.

    ``images`` may come one by one: the first are verified while the compiler still works on the
    next. ``later`` gives the programs that follow Python's stacks: no time is lost without them,
    and the verifier takes longest for them, so ``Attached.load_later`` loads them. It may raise
    an IotraceError, and then there are none.
    Raises Unsupported or PermissionDenied; nothing is left then."""
    _lift_memory_limit()
    attached = Attached({}, {}, {}, {})
    loading = ProgramLoading(attached)
    try:
        functions: list[Function] = []
        for image in images:
            attached.unavailable.update(image.unavailable)
            if _make_maps(image, attached):
                fill_maps(attached.maps, limits, namespace)
            loading.add(image.functions)
            functions += image.functions
        refusals = loading.finish()
        for function in sorted(functions, key=lambda one: attach_order(one.name)):
            _attach(function, refusals[function.name], attached)
        if REQUESTS in attached.unavailable:
            _leave_requests(attached)
        attached.later.append(partial(_load_later, later, attached))
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


def _leave_requests(attached: Attached) -> None:
    """Nothing goes on with exchanges of which not all is told."""
    for probe in EXIT_PROBES:
        if probe.table in attached.maps:
            HashMap(attached.maps[probe.table].fd, 4, 4).delete(struct.pack("<I", probe.slot))


def _load_later(later: Later, attached: Attached) -> None:
    try:
        functions = later()
    except IotraceError as error:
        for column in (column for probe in PYTHON_PROBES for column in probe.loses):
            attached.unavailable[column] = error.what
        return
    loading = ProgramLoading(attached)
    loading.add(functions)
    refusals = loading.finish()
    for function in functions:
        _attach(function, refusals[function.name], attached)


def _impossible(error: KernelRefusal) -> Unsupported:
    """What no privilege would fix: no memory, or a kernel that cannot do it."""
    if error.number == errno.ENOMEM:
        why = "The tables take some 60 MiB of kernel memory, which a container's limit counts, too."
        paste = "free -m"
    else:
        why, paste = "The details are in -v." if error.log else "", "iotrace doctor"
    return Unsupported(
        f"The kernel does not let iotrace {error.what}.",
        why=f"{os.strerror(error.number)}. {why}".strip(),
        paste=paste,
        details=error.log,
    )


def _attach(function: Function, refusal: KernelRefusal | None, attached: Attached) -> None:
    try:
        if refusal:
            raise refusal
        program = attached.programs[function.name]
        if function.attachment == "sample":
            for cpu in online_cpus():
                attached.links[f"CPU {cpu}"] = open_clock(cpu, SAMPLES_HZ, program)
        elif function.attachment == "major fault":
            for cpu in online_cpus():
                attached.links[f"faults of CPU {cpu}"] = open_major_faults(cpu, program)
        elif function.attachment == "tail call":
            _enter_table(function, program, attached)
        else:
            spare = function.tracepoint in attached.links
            if function.table and not spare:
                _enter_table(function, program, attached)
            link = function.name if spare else function.tracepoint
            attached.links[link] = open_raw_tracepoint(
                function.tracepoint, program, typed=bool(function.type_id)
            )
    except KernelRefusal as error:
        if not function.loses:
            raise
        where = function.tracepoint or _TAIL_CALLS.get(function.table, _PYTHON)
        reason = f"{PROBE_REFUSED} on {where}"
        if function.attachment in _PERF_EVENTS:
            reason = f"the kernel refused {_PERF_EVENTS[function.attachment]}: {why_refused(error)}"
        for column in function.loses:
            attached.unavailable[column] = reason


def _enter_table(function: Function, program: int, attached: Attached) -> None:
    """Other programs can go on with it from here on."""
    table = HashMap(attached.maps[function.table].fd, 4, 4)
    table.update(struct.pack("<I", function.slot), struct.pack("<I", program))


def _lift_memory_limit() -> None:
    """Until 5.11 maps counted against RLIMIT_MEMLOCK (kernel commit 97306be45fbe)."""
    try:
        resource.setrlimit(
            resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
    except (OSError, ValueError):
        return

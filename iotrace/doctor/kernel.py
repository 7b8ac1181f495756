# SPDX-License-Identifier: Apache-2.0
"""What the kernel can do, by doing it: maps, a program; its types; its tracepoints."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping

from iotrace.doctor import suggested_commands
from iotrace.doctor.check import Check, Status, degraded, missing, ok
from iotrace.engine.bpf_syscall import KernelRefusal, create_map, load_program, open_raw_tracepoint
from iotrace.engine.btf import VMLINUX, KernelTypes
from iotrace.engine.constants import SAMPLES_HZ
from iotrace.engine.perf_events import (
    MOST_PARANOID,
    online_cpus,
    open_clock,
    paranoia,
    why_refused,
)
from iotrace.engine.program import NO_REQUEST, OF_REQUESTS, tells_request, tracepoint_of
from iotrace.engine.tracepoints import PROBES, PYTHON_PROBES, REQUESTS, Probe
from iotrace.errors import Unsupported
from iotrace.privileges.syscall_filter import BPF, PERF_EVENT_OPEN, is_filtered

_HASH, _ARRAY, _LRU_HASH, _QUEUE, _RING_BUFFER = 1, 2, 9, 22, 27
_MMAPABLE = 1 << 10
_RETURN_0 = bytes.fromhex("b7000000000000009500000000000000")
"""mov r0, 0; exit"""
_PAGE = os.sysconf("SC_PAGE_SIZE")

_SAMPLED = tuple(c for p in PYTHON_PROBES if p.attachment == "sample" for c in p.loses)

_HELPERS = {
    "task_pt_regs": "the call that a thread is in at attach, where /proc cannot tell it",
}


def checks(absent: frozenset[str]) -> tuple[Check, ...]:
    """All of them; what is in ``absent`` is treated as if it were not there."""
    try:
        types = KernelTypes()
    except Unsupported as error:
        return (*_bpf(), missing("BTF", f"{error.what} {error.why}", suggested_commands.KERNEL))
    return (
        *_bpf(),
        ok("BTF", f"{VMLINUX} describes this kernel's structs"),
        *_tracepoints(types, absent),
        *_helpers(types, absent),
        _run_delay(types, absent),
    )


def _tried(feature: str, detail: str, attempt: Callable[[], list[int]]) -> Check:
    """ok, or missing with what the kernel said. ``attempt`` returns descriptors to close."""
    try:
        for fd in attempt():
            os.close(fd)
    except KernelRefusal as refusal:
        if is_filtered(BPF):
            paste = suggested_commands.SECCOMP
        elif refusal.number == errno.EPERM:
            paste = suggested_commands.PRIVILEGES
        else:
            paste = suggested_commands.KERNEL
        return missing(feature, f"the kernel does not let iotrace {refusal}", paste)
    return ok(feature, detail)


def _bpf() -> tuple[Check, ...]:
    answers = [
        _tried("BPF maps", "hash, array (mapped), LRU, queue: made", _make_maps),
        _tried("raw tracepoints", "a program was attached to sys_enter and detached", _attach),
    ]
    return (
        *answers,
        _useful("ring buffer", "made", "the timeline of single events", _make_ring),
        _clock(),
    )


def _clock() -> Check:
    """What has a name of its own in the way: perf_event_open(2) has settings that bpf(2) lacks."""
    try:
        for fd in _sample():
            os.close(fd)
    except KernelRefusal as refusal:
        detail = f"the kernel does not let iotrace {refusal.what}: {why_refused(refusal)}"
        return degraded("CPU clock", detail, "; ".join(_SAMPLED), _paste_for_clock(refusal))
    return ok("CPU clock", "a program was set on its ticks")


def _paste_for_clock(refusal: KernelRefusal) -> Mapping[str, str]:
    if refusal.number not in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        return suggested_commands.KERNEL
    if is_filtered(PERF_EVENT_OPEN):
        return suggested_commands.SECCOMP
    if paranoia() > MOST_PARANOID:
        return suggested_commands.sysctl(f"kernel.perf_event_paranoid={MOST_PARANOID}")
    return suggested_commands.PRIVILEGES


def _make_ring() -> list[int]:
    return [create_map("doctor", _RING_BUFFER, 0, 0, _PAGE, 0)]


def _sample() -> list[int]:
    """What tells where an event loop computes for long."""
    program = load_program("doctor", _RETURN_0, samples=True)
    try:
        return [open_clock(online_cpus()[0], SAMPLES_HZ, program), program]
    except KernelRefusal:
        os.close(program)
        raise


def _useful(feature: str, detail: str, loses: str, attempt: Callable[[], list[int]]) -> Check:
    """The same of what tracing can do without."""
    answer = _tried(feature, detail, attempt)
    if answer.status is Status.OK:
        return answer
    return degraded(feature, answer.detail, loses, answer.paste)


def _make_maps() -> list[int]:
    made: list[int] = []
    for kind, key, flags in (
        (_HASH, 4, 0),
        (_ARRAY, 4, _MMAPABLE),
        (_LRU_HASH, 4, 0),
        (_QUEUE, 0, 0),
    ):
        try:
            made.append(create_map("doctor", kind, key, 8, 16, flags))
        except KernelRefusal:
            for fd in made:
                os.close(fd)
            raise
    return made


def _attach() -> list[int]:
    program = load_program("doctor", _RETURN_0)
    try:
        return [open_raw_tracepoint("sys_enter", program), program]
    except KernelRefusal:
        os.close(program)
        raise


def _tracepoints(types: KernelTypes, absent: frozenset[str]) -> tuple[Check, ...]:
    answers = []
    for probe in PROBES:
        found = tracepoint_of(probe, types, absent)
        feature = f"tracepoint {found or probe.tracepoint}"
        lacks = "" if found else "not in this kernel"
        if found == "io_uring_complete" and not tells_request(types):
            lacks = NO_REQUEST
        loses = "; ".join((*probe.loses, *_requests_of(probe)))
        if not lacks:
            answers.append(ok(feature, f"there: {loses or 'all rests on it'}"))
        elif loses:
            answers.append(degraded(feature, lacks, loses, suggested_commands.KERNEL))
        else:
            answers.append(missing(feature, lacks, suggested_commands.KERNEL))
    return tuple(answers)


def _requests_of(probe: Probe) -> tuple[str, ...]:
    """What is said where there are no requests without it: in all details, or in which."""
    having = [detail for detail, names in OF_REQUESTS.items() if names]
    lacking = [detail for detail in having if probe.tracepoint in OF_REQUESTS[detail]]
    if lacking == having:
        return (REQUESTS,)
    return tuple(f"{REQUESTS} in {detail.value} detail" for detail in lacking)


def _helpers(types: KernelTypes, absent: frozenset[str]) -> tuple[Check, ...]:
    answers = []
    for name, loses in _HELPERS.items():
        if name not in absent and types.has_helper(name):
            answers.append(ok(f"helper bpf_{name}", f"there: {loses}"))
        else:
            answers.append(
                degraded(
                    f"helper bpf_{name}", "not in this kernel", loses, suggested_commands.KERNEL
                )
            )
    return tuple(answers)


def _run_delay(types: KernelTypes, absent: frozenset[str]) -> Check:
    if (
        "run_delay" not in absent
        and types.offset("task_struct", "sched_info.run_delay") is not None
    ):
        return ok("scheduler statistics", "each thread's time on run queues (CONFIG_SCHED_INFO)")
    return degraded(
        "scheduler statistics",
        "built without CONFIG_SCHED_INFO",
        "recovery where the kernel hides a switch",
        suggested_commands.KERNEL,
    )

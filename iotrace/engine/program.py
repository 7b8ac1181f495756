# SPDX-License-Identifier: Apache-2.0
"""The probes as one program: which sources, which flags, which tracepoints.

Pure apart from reading the source files; nothing here knows bcc.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from iotrace.engine import constants, syscalls
from iotrace.engine.btf import KernelTypes
from iotrace.engine.kernel_flags import has_thread_pointer, kernel_flags, preempts_probes
from iotrace.engine.map_limits import Limits
from iotrace.engine.probe_sources import joined_sources
from iotrace.engine.tracepoints import (
    ALL_PROBES,
    CALL_PROBES,
    EXIT_PROBES,
    IN_CONTAINERS,
    LATE_REQUESTS,
    LINES,
    PROBES,
    PYTHON_PROBES,
    REQUESTS,
    Part,
    Probe,
)
from iotrace.errors import Unsupported
from iotrace.report.detail import Detail

BASE_SOURCES = (
    "maps.c",
    "atomics.c",
    "preemption.c",
    "kernel_memory.c",
    "tracked.c",
    "ledger.c",
    "timeline.c",
    "fd_table.c",
    "ids.c",
    "python.c",
    "python_hooks.c",
    "listeners.c",
    "parts.c",
    "exchange_phases.c",
    "readiness.c",
    "descriptors.c",
    "arguments.c",
    "loops.c",
    "accounting.c",
    "results.c",
    "calls.c",
    "repair.c",
    "sys_enter_exit.c",
    "endpoints.c",
    "exchange_records.c",
    "exchanges.c",
    "exchange_connections.c",
    "exchange_moved.c",
    "sleeps.c",
    "sched.c",
    "lifecycle.c",
    "copy.c",
    "late_requests.c",
    "connections.c",
    "sockets.c",
)
LATE_SOURCES = (
    "python_stack.c",
    "slow_calls.c",
    "task_notes.c",
    "votes.c",
    "stalls.c",
    "samples.c",
)

_COMPLETE_WITHOUT_REQUEST = 4
"""Arguments of io_uring_complete in Linux 5.15: ctx, user_data, res, cflags."""
_RESET_WITH_REASON = 3
"""Arguments of tcp_send_reset since Linux 6.10, when it began to tell of all resets."""
NO_REQUEST = "does not tell the request"
OF_REQUESTS: dict[Detail, tuple[str, ...]] = {
    Detail.FULL: ("sk_data_ready",),
    Detail.SOCKETS: ("sk_data_ready", "sock_recv_length", "sock_send_length"),
    Detail.LIGHT: (),
}
"""Tracepoints without which there are no requests, as their functions are named."""
_OPTIONAL_SOURCES = {"on_signal_deliver": "signals.c", "on_uring_submit": "uring.c"}


@dataclass(frozen=True, slots=True)
class Program:
    """What to compile and attach on this kernel, and what this kernel cannot give.

    ``preemptible``: the kernel may preempt the probes (probes/preemption.c).
    """

    source: str
    cflags: tuple[str, ...]
    probes: tuple[Probe, ...]
    unavailable: dict[str, str]
    preemptible: bool


def tracepoint_of(probe: Probe, types: KernelTypes, absent: frozenset[str]) -> str | None:
    """What this kernel calls a probe's tracepoint; None: it has none such."""
    names = (name for name in (probe.tracepoint, probe.older) if name and name not in absent)
    return next((name for name in names if types.tracepoint_arguments(name)), None)


def tells_request(types: KernelTypes) -> bool:
    """Whether io_uring_complete says which request is complete."""
    return types.tracepoint_arguments("io_uring_complete") != _COMPLETE_WITHOUT_REQUEST


def tells_all_resets(types: KernelTypes) -> bool:
    """Whether tcp_send_reset tells of resets for connections in TIME_WAIT, too."""
    return types.tracepoint_arguments("tcp_send_reset") == _RESET_WITH_REASON


def _available(
    types: KernelTypes, absent: frozenset[str], namespaced: bool, detail: Detail
) -> tuple[list[Probe], dict[str, str]]:
    """The probes that this kernel has a tracepoint for, and the columns lost with the others."""
    present, unavailable = [], {}
    for probe in (*PROBES, *IN_CONTAINERS) if namespaced else PROBES:
        if detail not in probe.details:
            continue
        if known := tracepoint_of(probe, types, absent):
            present.append(replace(probe, tracepoint=known))
        elif probe.loses:
            for column in probe.loses:
                unavailable[column] = f"this kernel has no tracepoint {probe.tracepoint}"
        else:
            raise Unsupported(
                f"This kernel has no tracepoint {probe.tracepoint}.",
                why="Nothing can be accounted for without it.",
                paste="iotrace doctor",
            )
    if "operations" not in unavailable and not tells_request(types):
        unavailable["operations"] = f"this kernel's io_uring_complete {NO_REQUEST}"
    if not tells_all_resets(types) and any(LATE_REQUESTS in probe.loses for probe in present):
        unavailable[LATE_REQUESTS] = "this kernel's tcp_send_reset does not tell of all of them"
        present = [probe for probe in present if LATE_REQUESTS not in probe.loses]
    if "operations" in unavailable:
        present = [p for p in present if not p.loses or "operations" not in p.loses]
    return present, unavailable


def _request_probes(
    functions: Collection[str], detail: Detail, unavailable: dict[str, str]
) -> list[Probe]:
    """What follows exchanges, where all that tells of them is there."""
    for name in OF_REQUESTS[detail]:
        if f"on_{name}" not in functions:
            unavailable[REQUESTS] = f"this kernel has no tracepoint {name}"
            return []
    return [probe for probe in EXIT_PROBES if detail in probe.details]


def _with_requests(probe: Probe, detail: Detail) -> Probe:
    """Where the kernel refuses a probe that tells of exchanges, there are no requests, either."""
    if probe.function in {f"on_{name}" for name in OF_REQUESTS[detail]}:
        return replace(probe, loses=(*probe.loses, REQUESTS))
    return probe


def _require_atomics(types: KernelTypes) -> None:
    """BTF does not list instructions: bpf_check_mtu came in the same release (Linux 5.12)."""
    if not types.has_helper("check_mtu"):
        raise Unsupported(
            "This kernel is too old for iotrace: Linux 5.15 or newer is needed.",
            why="Its BPF has no atomic operations that return a value.",
            paste="uname -r",
        )


def build_program(
    types: KernelTypes,
    machine: str,
    limits: Limits,
    absent: frozenset[str] = frozenset(),
    namespaced: bool = False,
    *,
    part: Part,
) -> Program:
    """The program for this kernel. ``absent``: features to treat as if they were not there.

    ``namespaced``: process ids are those of a container, see pid_namespace.py.
    Raises Unsupported where the kernel lacks what every figure needs.
    """
    architecture = syscalls.ARCHITECTURES.get(machine)
    if architecture is None:
        raise Unsupported(
            f"iotrace does not know the machine type {machine}.",
            why="It has system call tables for x86_64 and aarch64.",
        )
    _require_atomics(types)
    present, unavailable = _available(types, absent, namespaced, limits.detail)
    functions = {probe.function for probe in present}
    python = limits.python and has_thread_pointer(types)
    present += [probe for probe in CALL_PROBES if limits.detail in probe.details]
    present += _request_probes(functions, limits.detail, unavailable)
    if python and limits.detail is Detail.FULL:
        present += PYTHON_PROBES
    elif limits.python and not python:
        unavailable[LINES] = f"not tried on {machine}"
    sources = [*BASE_SOURCES, *(s for f, s in _OPTIONAL_SOURCES.items() if f in functions)]
    sources += LATE_SOURCES if part.late else ()
    flags = [
        "-Werror=implicit-function-declaration",
        "-Wno-unused-function",
        "-g0",  # bcc asks for debugging information, which takes a quarter of the time,
        *("-Xclang", "-disable-llvm-passes"),  # and optimizes what clang has optimized already
        *constants.cflags(),
        *limits.cflags(),
        *syscalls.cflags(architecture),
        *kernel_flags(types, functions, absent, namespaced, python, limits.detail, unavailable),
    ]
    flags += [
        f"-DLINKAGE_{name}={'' if name in part.functions else 'static'}"
        for name in sorted({probe.function for probe in ALL_PROBES})
    ]
    chosen = tuple(
        _with_requests(probe, limits.detail)
        for probe in present
        if probe.function in part.functions
    )
    preemptible = preempts_probes(types, absent)
    return Program(joined_sources(sources), tuple(flags), chosen, unavailable, preemptible)

# SPDX-License-Identifier: Apache-2.0
"""Probes that a benchmark attaches and detaches as often as it likes.

Those of iotrace are borrowed from a real `iotrace attach`: what runs is what the command would
run. Its programs (and with them its maps) stay when it is killed, as long as we hold them. Tables
of tail calls are emptied when nobody holds them, so we hold those as well.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import attached, details, fields_of, links
from iotrace.engine.bpf_syscall import KernelRefusal, load_program, open_raw_tracepoint
from iotrace.engine.tracepoints import PROBES
from iotrace.report.detail import Detail

_BPF = {"x86_64": 321, "aarch64": 280}
_PIDFD_GETFD = 438
_PROGRAM_BY_ID, _MAP_BY_ID = 13, 14
_PROGRAM_ARRAY = "3"
"""BPF_MAP_TYPE_PROG_ARRAY, include/uapi/linux/bpf.h"""
_PERF_ENABLE, _PERF_DISABLE = 0x2400, 0x2401
"""PERF_EVENT_IOC_*, include/uapi/linux/perf_event.h"""
_RETURN_0 = bytes.fromhex("b7000000000000009500000000000000")
_READ_CLOCK = bytes.fromhex("8500000005000000")
"""A call of bpf_ktime_get_ns."""

NOTHING, EMPTY, IOTRACE = "none (noise)", "empty probes (limit)", "iotrace "
EMPTY_SWITCH = "empty probe on sched_switch (limit of light detail)"
EMPTY_SOCKETS = "empty probes wherever sockets detail has one (its limit)"
CLOCK = "nothing but the clock, on calls, copies, arrivals (limit of full detail)"
_TIMED = ("sys_enter", "sys_exit", "skb_copy_datagram_iovec", "sk_data_ready")
"""What full detail must date, of what happens in every operation of a server."""

_SOCKETS = tuple([one.tracepoint for one in PROBES if Detail.SOCKETS in one.details])

_libc = ctypes.CDLL(None, use_errno=True)


class Switch:
    """Programs with the raw tracepoints they belong on, and clocks (perf events); off at first.

    Without any of them it does nothing: what is measured then is the noise.
    """

    def __init__(
        self,
        programs: dict[str, int] | None = None,
        clocks: tuple[int, ...] = (),
        tables: tuple[int, ...] = (),
    ):
        self._programs = programs or {}
        self._clocks = clocks
        self._tables = tables
        self._links: list[int] = []

    def on(self) -> None:
        """Attach them."""
        self._links += [_attached(name, fd) for name, fd in self._programs.items()]
        for clock in self._clocks:
            fcntl.ioctl(clock, _PERF_ENABLE, 0)

    def off(self) -> None:
        """Detach them."""
        for clock in self._clocks:
            fcntl.ioctl(clock, _PERF_DISABLE, 0)
        while self._links:
            os.close(self._links.pop())

    def close(self) -> None:
        """Give them back to the kernel."""
        self.off()
        for fd in {*self._programs.values(), *self._clocks, *self._tables}:
            os.close(fd)


def _attached(tracepoint: str, program: int) -> int:
    try:
        return open_raw_tracepoint(tracepoint, program)
    except KernelRefusal:
        return open_raw_tracepoint(tracepoint, program, typed=True)


@dataclass(frozen=True, slots=True)
class Probes:
    """A row of the table: ``loaded(pid)`` is a context manager that gives the switch."""

    name: str
    loaded: Callable[[int], AbstractContextManager[Switch]]


@contextlib.contextmanager
def _nothing(pid: int) -> Iterator[Switch]:
    yield Switch()


@contextlib.contextmanager
def _empty(tracepoints: tuple[str, ...], pid: int, code: bytes = b"") -> Iterator[Switch]:
    """Programs that only return: no tracer that looks at all of these events is cheaper."""
    fd = load_program("empty", code + _RETURN_0)
    with contextlib.closing(Switch(dict.fromkeys(tracepoints, fd))) as switch:
        yield switch


@contextlib.contextmanager
def iotrace_probes(pid: int, *options: object) -> Iterator[Switch]:
    """Those of ``iotrace attach PID options``."""
    with attached(pid, *options) as tracer:
        programs = {name: program_of(number) for name, number in links(tracer.pid).items()}
        clocks = _clocks(tracer.pid)
        tables = _tail_call_tables(tracer.pid)
    with contextlib.closing(Switch(programs, clocks, tables)) as switch:
        switch.off()
        yield switch


def all_probes() -> list[Probes]:
    """Every row that can be switched."""
    levels = [
        Probes(f"{IOTRACE}{level}", functools.partial(_with_detail, level)) for level in details()
    ]
    return [
        Probes(NOTHING, _nothing),
        Probes(EMPTY, functools.partial(_empty, ("sys_enter", "sys_exit"))),
        Probes(EMPTY_SWITCH, functools.partial(_empty, ("sched_switch",))),
        Probes(EMPTY_SOCKETS, functools.partial(_empty, _SOCKETS)),
        Probes(CLOCK, functools.partial(_empty, _TIMED, code=_READ_CLOCK)),
        *(levels or [Probes(f"{IOTRACE}full", iotrace_probes)]),
    ]


def _with_detail(level: str, pid: int) -> AbstractContextManager[Switch]:
    return iotrace_probes(pid, "--detail", level)


class _ById(ctypes.Structure):
    _fields_ = (("id", ctypes.c_uint32), ("next_id", ctypes.c_uint32), ("flags", ctypes.c_uint32))


def program_of(number: int) -> int:
    """A descriptor of the loaded program with that id."""
    return _by_id(_PROGRAM_BY_ID, number)


def _tail_call_tables(pid: int) -> tuple[int, ...]:
    """Descriptors of our own for the tables of tail calls of another process."""
    found = []
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            fields = fields_of(path)
            if fields.get("map_type") == _PROGRAM_ARRAY:
                found.append(_by_id(_MAP_BY_ID, int(fields["map_id"])))
    return tuple(found)


def map_by_id(number: int) -> int:
    """A descriptor of the map with that id."""
    return _by_id(_MAP_BY_ID, number)


def _by_id(command: int, number: int) -> int:
    return bpf_descriptor(command, _ById(number), f"program or map {number}")


def bpf_descriptor(command: int, attributes: ctypes.Structure, what: str) -> int:
    """What a command of bpf(2) gives. Raises OSError."""
    fd: int = _libc.syscall(
        ctypes.c_long(_BPF[platform.machine()]),
        command,
        ctypes.byref(attributes),
        ctypes.sizeof(attributes),
    )
    if fd < 0:
        raise OSError(ctypes.get_errno(), what)
    return fd


def _clocks(pid: int) -> tuple[int, ...]:
    """Descriptors of our own for the perf events of another process."""
    process = os.pidfd_open(pid)
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(path.readlink()) == "anon_inode:[perf_event]":
                found.append(_libc.syscall(ctypes.c_long(_PIDFD_GETFD), process, int(path.name), 0))
    os.close(process)
    return tuple(fd for fd in found if fd >= 0)

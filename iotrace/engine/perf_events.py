# SPDX-License-Identifier: Apache-2.0
"""Software events on each CPU that run a program of ours: perf_event_open(2).

The software CPU clock is there on every kernel and in every virtual machine.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
from pathlib import Path

from iotrace.engine.bpf_syscall import KernelRefusal
from iotrace.privileges.capabilities import CAPABILITIES, effective_capabilities
from iotrace.privileges.syscall_filter import PERF_EVENT_OPEN, is_filtered

_SOFTWARE, _CPU_CLOCK, _MAJOR_FAULTS = 1, 0, 6
_BY_FREQUENCY = 1 << 10
_CLOSE_ON_EXEC = 8
_SET_BPF, _ENABLE = 0x40042408, 0x2400
_EVERY_PROCESS, _NO_GROUP = -1, -1
MOST_PARANOID = 2
"""Above it Debian's and Ubuntu's kernels let nobody use perf events but CAP_SYS_ADMIN."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """struct perf_event_attr, its first version (64 bytes)."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("config", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
        ("sample_type", ctypes.c_uint64),
        ("read_format", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
        ("wakeup_events", ctypes.c_uint32),
        ("breakpoint_type", ctypes.c_uint32),
        ("config1", ctypes.c_uint64),
    )


def online_cpus() -> tuple[int, ...]:
    """The CPUs that run: sysfs, "0-3,6"."""
    with open("/sys/devices/system/cpu/online", encoding="ascii") as listed:  # noqa: PTH123
        spans = [span.split("-") for span in listed.read().strip().split(",")]
    return tuple(cpu for span in spans for cpu in range(int(span[0]), int(span[-1]) + 1))


def open_clock(cpu: int, frequency_hz: int, program: int) -> int:
    """Run the program at each tick of this CPU; the descriptor holds it. Raises KernelRefusal."""
    return _open(f"a clock on CPU {cpu}", cpu, _CPU_CLOCK, frequency_hz, _BY_FREQUENCY, program)


def open_major_faults(cpu: int, program: int) -> int:
    """Run the program after each page fault on this CPU that has waited for storage; as above."""
    return _open(f"a counter of page faults on CPU {cpu}", cpu, _MAJOR_FAULTS, 1, 0, program)


def _open(what: str, cpu: int, event: int, period: int, flags: int, program: int) -> int:
    attributes = _Attributes(_SOFTWARE, ctypes.sizeof(_Attributes), event, period, flags=flags)
    fd: int = _libc.syscall(
        ctypes.c_long(PERF_EVENT_OPEN[platform.machine()]),
        ctypes.byref(attributes),
        _EVERY_PROCESS,
        cpu,
        _NO_GROUP,
        ctypes.c_ulong(_CLOSE_ON_EXEC),
    )
    if fd < 0:
        raise KernelRefusal(f"open {what}", ctypes.get_errno())
    try:
        fcntl.ioctl(fd, _SET_BPF, program)
        fcntl.ioctl(fd, _ENABLE, 0)
    except OSError as error:
        os.close(fd)
        raise KernelRefusal(f"use {what}", error.errno or 0) from error
    return fd


def paranoia(setting: Path = Path("/proc/sys/kernel/perf_event_paranoid")) -> int:
    """kernel.perf_event_paranoid; -1 where it cannot be read."""
    try:
        return int(setting.read_text())
    except (OSError, ValueError):
        return -1


def why_refused(refusal: KernelRefusal) -> str:
    """Why a perf event could not be opened."""
    if refusal.number in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        if is_filtered(PERF_EVENT_OPEN):
            return "a seccomp filter refuses perf_event_open(2)"
        level, held = paranoia(), effective_capabilities()
        if level > MOST_PARANOID and not held >> CAPABILITIES["CAP_SYS_ADMIN"] & 1:
            return (
                f"kernel.perf_event_paranoid is {level}: CAP_PERFMON is not enough above "
                f"{MOST_PARANOID}, that takes CAP_SYS_ADMIN"
            )
    return os.strerror(refusal.number)

# SPDX-License-Identifier: Apache-2.0
"""The machine: its kernel, its processors, its memory."""

from __future__ import annotations

import os
from dataclasses import dataclass

from iotrace.procfs.files import PROC, read_file
from iotrace.procfs.stat import NS_PER_TICK

_KIB = 1024
_SWAPPED_IN = (b"pswpin", b"zswpin")
# Positions in the first line of /proc/stat, after its label. Time of guests is in user and nice.
_RUNNING = (0, 1, 2, 5, 6)  # user, nice, system, irq, softirq
_STOLEN = 7


@dataclass(frozen=True, slots=True)
class HostFacts:
    """``kernel`` as ``uname -r``, ``machine`` as ``uname -m``, ``cpus`` that are online.

    ``boot_id`` changes with each boot: recordings of one boot share a clock. ``memory_bytes`` is
    all of it, ``available_bytes`` what programs can still get without swapping, None on kernels
    before 3.14: proc_meminfo(5).
    """

    kernel: str
    machine: str
    cpus: int
    boot_id: str
    memory_bytes: int
    available_bytes: int | None


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Of all CPUs since boot, in clock ticks (10 ms): proc_stat(5).

    ``running_ns``: anything but idle. ``stolen_ns``: a CPU of this virtual machine had something to
    run, and the hypervisor ran something else; 0 on machines that are not told.
    """

    running_ns: int
    stolen_ns: int


def parse_cpu_times(data: bytes) -> CpuTimes:
    """``/proc/stat``. Raises ``ValueError`` for anything that isn't such a file."""
    match data.split(b"\n", 1)[0].split():
        case [b"cpu", *fields] if len(fields) > _STOLEN:
            ticks = [int(field) for field in fields]
            running = sum(ticks[place] for place in _RUNNING)
            return CpuTimes(running * NS_PER_TICK, ticks[_STOLEN] * NS_PER_TICK)
    raise ValueError("no times of all CPUs")


def read_cpu_times(root: str = PROC) -> CpuTimes:
    """Raises ``OSError`` where there is no /proc."""
    return parse_cpu_times(read_file(f"{root}/stat"))


def parse_meminfo(data: bytes) -> dict[str, int]:
    """``/proc/meminfo``, sizes in bytes. Lines that are no size are skipped."""
    sizes = {}
    for line in data.split(b"\n"):
        match line.split():
            case [label, number, b"kB"] if label.endswith(b":") and number.isdigit():
                sizes[label[:-1].decode("ascii", "replace")] = int(number) * _KIB
    return sizes


def read_swapped_in_pages(root: str = PROC) -> int | None:
    """Pages that the machine has fetched from swap since it began (proc_vmstat(5)), compressed
    ones of zswap as well; None: it does not count them."""
    try:
        lines = read_file(f"{root}/vmstat").split(b"\n")
    except OSError:
        return None
    counts = [
        int(number)
        for name, _, number in (line.partition(b" ") for line in lines)
        if name in _SWAPPED_IN
    ]
    return sum(counts) if counts else None


def read_host(root: str = PROC) -> HostFacts:
    """Raises ``OSError`` where there is no /proc."""
    kernel = read_file(f"{root}/sys/kernel/osrelease").decode("ascii", "replace").strip()
    boot_id = read_file(f"{root}/sys/kernel/random/boot_id").decode("ascii", "replace").strip()
    sizes = parse_meminfo(read_file(f"{root}/meminfo"))
    return HostFacts(
        kernel=kernel,
        machine=os.uname().machine,
        cpus=os.cpu_count() or 1,
        boot_id=boot_id,
        memory_bytes=sizes["MemTotal"],
        available_bytes=sizes.get("MemAvailable"),
    )

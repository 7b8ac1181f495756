# SPDX-License-Identifier: Apache-2.0
"""The machine: its kernel, its processors, its memory."""

from __future__ import annotations

import os
from dataclasses import dataclass

from iotrace.procfs.files import PROC, read_file

_KIB = 1024
_SWAPPED_IN = (b"pswpin", b"zswpin")


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

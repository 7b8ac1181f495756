"""What an agent holds: its own memory, and entries of its maps in the kernel."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from benchmarks.probes import map_by_id
from iotrace.engine.bpf_map import HashMap

_HASH = "1"
"""BPF_MAP_TYPE_HASH, include/uapi/linux/bpf.h"""


def resident_bytes(pid: int) -> int:
    """Its resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """CPU time that it has spent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def map_entries(pid: int) -> dict[str, int]:
    """Of each of its hash maps, which are those that could fill up."""
    found: dict[str, int] = {}
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        fields: dict[str, str] = {}
        with contextlib.suppress(OSError):
            lines = path.read_text().splitlines()
            fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        if fields.get("map_type") == _HASH:
            fd = map_by_id(int(fields["map_id"]))
            try:
                one = HashMap(fd, int(fields["key_size"]), int(fields["value_size"]))
                name = f"{path.name} {fields['key_size']}/{fields['value_size']}"
                found[name] = len(list(one.items()))
            finally:
                os.close(fd)
    return found


def quiet(pid: int, seconds: float) -> float:
    """The share of one CPU that it takes for so long."""
    before, begun = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pid) - before) / (time.monotonic() - begun)

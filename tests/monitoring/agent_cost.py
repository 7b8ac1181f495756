"""What an agent takes: CPU time, and entries of its maps in the kernel."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from benchmarks.command import fields_of
from benchmarks.measure import cpu_ns
from benchmarks.probes import map_by_id
from iotrace.engine.bpf_map import HashMap

_HASH = "1"
"""BPF_MAP_TYPE_HASH, include/uapi/linux/bpf.h"""


def map_entries(pid: int) -> dict[str, int]:
    """Of each of its hash maps, which are those that could fill up."""
    found: dict[str, int] = {}
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        fields: dict[str, str] = {}
        with contextlib.suppress(OSError):
            fields = fields_of(path)
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
    before_ns, begun_ns = cpu_ns(pid), time.monotonic_ns()
    time.sleep(seconds)
    return (cpu_ns(pid) - before_ns) / (time.monotonic_ns() - begun_ns)

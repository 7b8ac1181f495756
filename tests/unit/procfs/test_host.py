"""The machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from iotrace.procfs.host import (
    CpuTimes,
    parse_cpu_times,
    parse_meminfo,
    read_cpu_times,
    read_host,
    read_swapped_in_pages,
)

from . import samples

MIB = 1024 * 1024


def test_this_host() -> None:
    host = read_host()
    uname = os.uname()
    assert (host.kernel, host.machine) == (uname.release, uname.machine)
    assert host.cpus == os.sysconf("SC_NPROCESSORS_ONLN")
    assert host.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert abs(host.memory_bytes - pages) < MIB
    assert host.available_bytes is not None
    assert 0 < host.available_bytes <= host.memory_bytes


def test_pages_from_swap(tmp_path: Path) -> None:
    now = read_swapped_in_pages()
    assert now is not None and now >= 0
    assert read_swapped_in_pages(str(tmp_path)) is None
    (tmp_path / "vmstat").write_text("pgfault 9\npswpin 17\npswpout 4\nzswpin 3\n")
    assert read_swapped_in_pages(str(tmp_path)) == 20
    (tmp_path / "vmstat").write_text("pgfault 9\n")
    assert read_swapped_in_pages(str(tmp_path)) is None


def test_times_of_all_cpus() -> None:
    line = b"cpu  100 20 30 4000 5 6 7 80 90 10"
    lines = line + b"\ncpu0 100 20 30 4000 5 6 7 80 90 10\nintr 9\n"
    tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert parse_cpu_times(lines) == CpuTimes((100 + 20 + 30 + 6 + 7) * tick, 80 * tick)
    for damaged in (b"", b"cpu 1 2 3", b"cpu0 1 2 3 4 5 6 7 8", line.replace(b"80", b"x")):
        with pytest.raises(ValueError):
            parse_cpu_times(damaged)


def test_cpu_times_grow_while_something_runs() -> None:
    before = read_cpu_times()
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    after = read_cpu_times()
    assert after.running_ns - before.running_ns >= 100_000_000
    assert after.stolen_ns >= before.stolen_ns >= 0


def test_memory_sizes() -> None:
    assert parse_meminfo(samples.MEMINFO) == {
        "MemTotal": 24684092 * 1024,
        "MemAvailable": 24231428 * 1024,
    }


def test_an_old_kernel_does_not_tell_what_is_available(tree) -> None:
    root = tree(
        {
            "sys/kernel/osrelease": b"3.13.0-x\n",
            "sys/kernel/random/boot_id": b"bfa3a52a\n",
            "meminfo": b"MemTotal: 7 kB\n",
        }
    )
    host = read_host(root)
    assert (host.kernel, host.boot_id) == ("3.13.0-x", "bfa3a52a")
    assert (host.memory_bytes, host.available_bytes) == (7 * 1024, None)


def test_no_proc_at_all(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_host(str(tmp_path))

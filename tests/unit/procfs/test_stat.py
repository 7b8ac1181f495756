"""stat and status: names, parents, faults, start times, switches."""

from __future__ import annotations

import os
import resource
import threading
import time

import pytest

from iotrace.procfs.stat import parse_stat, read_stat, started_ns, suspended_ns
from iotrace.procfs.status import parse_status, read_status

from . import samples

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def test_a_name_may_look_like_the_rest_of_the_line() -> None:
    stat = parse_stat(samples.STAT)
    assert (stat.id, stat.name, stat.state, stat.parent) == (3845, "a) R (b\n c", "S", 3841)
    assert (stat.minor_faults, stat.major_faults) == (101, 3)
    assert (stat.user_ns, stat.kernel_ns) == (5 * TICK_NS, 7 * TICK_NS)
    assert (stat.threads, stat.start_ticks, stat.kernel_thread) == (13, 77089, False)


def test_a_kernel_thread_is_known_by_its_flag() -> None:
    assert parse_stat(samples.KERNEL_THREAD_STAT).kernel_thread
    assert not parse_stat(samples.KERNEL_THREAD_STAT).io_worker


def test_a_worker_of_io_uring_is_known_by_its_flag() -> None:
    stat = parse_stat(samples.STAT.replace(b"4194304", b"4210768"))
    assert (stat.io_worker, stat.kernel_thread) == (True, False)


@pytest.mark.parametrize(
    "data", [b"", b"1 (x", b"1 x) S 1", b") 1 (", b"1 (x) S 2 3", b"(x) " + samples.STAT]
)
def test_no_stat_file(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a stat file|invalid literal"):
        parse_stat(data)


def test_a_real_thread_may_have_any_name(spawn) -> None:
    child = spawn("""
with open("/proc/self/comm", "wb") as comm:
    comm.write(b") R 1 (\\n\\xff")
""")
    assert read_stat(child.pid).name == ") R 1 (\n\udcff"
    assert read_stat(child.pid, child.pid).parent == os.getpid()
    assert read_status(child.pid).parent == os.getpid()


def test_start_times_are_on_the_monotonic_clock(spawn) -> None:
    before = time.monotonic_ns()
    child = spawn("")
    started = started_ns(read_stat(child.pid).start_ticks, suspended_ns())
    assert before - TICK_NS - 1_000_000 <= started <= time.monotonic_ns()


def test_time_suspended_is_taken_from_the_start() -> None:
    assert started_ns(start_ticks=77089, suspended=5_000_000_000) == 77089 * TICK_NS - 5_000_000_000


def test_status() -> None:
    status = parse_status(samples.STATUS)
    assert (status.tgid, status.id, status.parent) == (3846, 3847, 3841)
    assert (status.uid, status.effective_uid) == (1000, 1001)
    assert (status.namespaced_ids, status.threads) == ((3847, 7), 11)
    assert (status.voluntary_switches, status.nonvoluntary_switches) == (101, 13)
    assert status.swapped_bytes == 517 * 1024
    assert parse_status(samples.STATUS.replace(b"VmSwap", b"Other")).swapped_bytes == 0
    assert status.anonymous_bytes is None
    assert (
        parse_status(samples.STATUS.replace(b"VmPeak", b"RssAnon")).anonymous_bytes == 3060 * 1024
    )


def test_a_kernel_without_pid_namespaces() -> None:
    assert parse_status(samples.STATUS.replace(b"NSpid", b"Other")).namespaced_ids == (3847,)


@pytest.mark.parametrize("key", [b"Tgid", b"Pid", b"Uid", b"Threads", b"voluntary_ctxt_switches"])
def test_a_status_without_what_every_kernel_has(key: bytes) -> None:
    with pytest.raises(ValueError, match="subsection not found"):
        parse_status(samples.STATUS.replace(b"\n" + key + b":", b"\nOther:"))


def test_context_switches_are_those_of_getrusage() -> None:
    before = resource.getrusage(resource.RUSAGE_THREAD)
    status = read_status(os.getpid(), threading.get_native_id())
    after = resource.getrusage(resource.RUSAGE_THREAD)
    assert before.ru_nvcsw <= status.voluntary_switches <= after.ru_nvcsw
    assert before.ru_nivcsw <= status.nonvoluntary_switches <= after.ru_nivcsw

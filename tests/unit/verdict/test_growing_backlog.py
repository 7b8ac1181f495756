# SPDX-License-Identifier: Apache-2.0
"""IO213: what is submitted and not done yet, kept in memory."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import GroupLimits, Process
from iotrace.report.stacks import CpuSample
from tests.unit.verdict import hangs
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    findings,
    in_call,
    line_of,
    process,
    stack,
    thread,
)
from tests.unit.verdict.made_busy import growing_backlog


def _told(parent: Process, *workers: Process) -> bool:
    return "IO213" in findings(parent, *workers)


def test_who_gives_and_what_the_workers_do_is_told() -> None:
    found = findings(*growing_backlog(True))["IO213"]
    assert "80 tasks a second come, 20 are done" in found.title
    assert found.lines[0] == "batch.py:21 main -> gives work to the pool: 80 times a second"
    assert found.lines[1].startswith("batch.py:7 work -> clock_nanosleep")
    assert found.severity == "medium"
    parent, *workers = growing_backlog(True)
    assert parent.limits is not None
    near = replace(parent.limits, memory_limit_bytes=1 << 30, memory_used_bytes=800 << 20)
    assert findings(replace(parent, limits=near), *workers)["IO213"].severity == "high"


def test_what_all_was_given_before_or_needs_no_memory_is_a_batch() -> None:
    parent, *workers = growing_backlog(True)
    steady = GroupLimits(own_bytes=700 << 20, own_grown_bytes=9 << 20, own_watched_ns=10 * S)
    assert not _told(replace(parent, limits=steady), *workers)
    slowly = GroupLimits(own_bytes=700 << 20, own_grown_bytes=90 << 20, own_watched_ns=900 * S)
    assert not _told(replace(parent, limits=slowly), *workers)
    assert not _told(replace(parent, limits=None), *workers)
    assert not _told(replace(parent, cpu_samples=(), lines=()), *workers)
    few = replace(parent, calls=(call("write", "pipe", 19),))
    assert not _told(few, *workers)


def test_workers_that_wait_for_work_are_not_behind() -> None:
    parent, *workers = growing_backlog(True)
    waits = call("read", "pipe", 150, tid=701, wait=2 * S)
    idle = replace(workers[0], calls=(*workers[0].calls[:1], waits))
    assert not _told(parent, idle, *workers[1:])
    brief = replace(waits, wait_ns=500 * MS)
    assert _told(parent, replace(idle, calls=(*workers[0].calls[:1], brief)), *workers[1:])
    assert not _told(replace(parent, pid=PID))


def test_lines_that_are_printed_into_a_pipe_are_no_tasks() -> None:
    parent, *workers = growing_backlog(True)
    prints = descriptor(1, kind="pipe", local="pipe:[81]", peer="", calls=300)
    found = findings(replace(parent, descriptors=(prints,)), *workers)["IO213"]
    assert found.evidence["given"] == 500
    assert "50 tasks a second come, 20 are done" in found.title
    busy = replace(prints, calls=401)
    assert not _told(replace(parent, descriptors=(busy,)), *workers)


def test_what_was_submitted_at_once_to_processes_may_grow_by_its_results() -> None:
    parent, *workers = growing_backlog(True)
    assert parent.limits is not None
    near = replace(parent.limits, memory_limit_bytes=1 << 30, memory_used_bytes=800 << 20)
    result = in_call("futex", "", _AWAITS, "batch.py:23 main")
    burst = replace(parent, lines=(line_of(result, 8, 8 * S, S, PID),), limits=near)
    found = findings(burst, *workers)["IO213"]
    assert found.severity == "low"
    assert found.title == (
        "Memory grows by 50 MiB a second while a pool of 4 processes is always busy: by results "
        "that are kept, or by work that waits for it"
    )
    assert found.advice.startswith("If all of the work was given at once, and its results")
    assert "BoundedSemaphore" in found.advice


_AWAITS = "lib/concurrent/futures/_base.py:451 Future.result"


def _threads(*gives: str, idle: int = 0, grown: int = 500 << 20, giving: int = 5 * S) -> Process:
    """Four threads of a pool ask a service; another one, or the main thread, gives them work."""
    work = (
        "lib/site-packages/urllib3/connectionpool.py:463 HTTPConnectionPool._make_request",
        "load.py:30 send",
        "lib/multiprocessing/pool.py:125 worker",
        *hangs.BOOTSTRAP,
    )
    call = in_call("recvfrom", "tcp", *work, fd=9, wait=800 * MS, peer="10.0.0.9:9200")
    rows = [hangs.waiting(tid, call, recv=10 * S - idle, lock=idle) for tid in (701, 702, 703, 704)]
    limits = GroupLimits(own_bytes=700 << 20, own_grown_bytes=grown, own_watched_ns=10 * S)
    sample = CpuSample(711, 9, giving, 0, 0, 0, 0, stack(*gives))
    feeder = thread(711, user=9 * S, lock=S)
    return replace(process([*rows, feeder]), cpu_samples=(sample,), limits=limits)


_FEEDS = ("load.py:12 documents", "lib/multiprocessing/pool.py:391 Pool._guarded_task_generation")


def test_a_generator_that_is_read_ahead_of_threads_is_told() -> None:
    found = findings(_threads(*_FEEDS))["IO213"]
    assert found.title.startswith("Work is given to a pool of 4 threads faster than they do it")
    assert "grows by 50 MiB a second" in found.title
    assert found.lines[0] == "load.py:12 documents -> makes work for the pool, seen 9 times"
    assert found.evidence["pool"] == "multiprocessing.pool.ThreadPool"


def test_a_burst_whose_results_are_kept_is_not_said_to_be_a_backlog() -> None:
    brief = _threads(*_FEEDS, giving=S)
    assert brief.limits is not None
    near = replace(brief.limits, memory_limit_bytes=1 << 30, memory_used_bytes=800 << 20)
    found = findings(replace(brief, limits=near))["IO213"]
    assert found.severity == "low"
    assert "by results that are kept, or by work that waits" in found.title
    ongoing = findings(replace(_threads(*_FEEDS), limits=near))["IO213"]
    assert ongoing.severity == "high"


def test_who_waits_for_results_longer_than_it_gives_does_not_go_on() -> None:
    one = _threads(*_FEEDS, giving=4 * S)
    for awaits, severity in ((_AWAITS, "low"), ("lib/queue.py:171 Queue.get", "medium")):
        waits = in_call("futex", "", awaits, "load.py:14 documents", "load.py:20 main")
        row = line_of(waits, 9, 5 * S, S, 711)
        assert findings(replace(one, lines=(row,)))["IO213"].severity == severity


def test_threads_that_wait_for_work_or_are_given_none_are_not_behind() -> None:
    assert not _told(_threads(*_FEEDS, idle=2 * S))
    assert not _told(_threads(*_FEEDS, grown=9 << 20))
    assert not _told(_threads("load.py:12 documents", *hangs.BOOTSTRAP))

# SPDX-License-Identifier: Apache-2.0
"""Limits and delays of the system, and what they must not be taken for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import GroupLimits, OpenSockets, Overflowed, Process
from iotrace.report.requests import Upstream
from iotrace.report.stacks import Wake
from iotrace.report.times import Durations
from tests.unit.verdict import elsewhere, hangs, made_busy, made_servers
from tests.unit.verdict.made import (
    LENGTH_NS,
    MS,
    S,
    blocking,
    call,
    descriptor,
    findings,
    in_call,
    judged,
    line_of,
    process,
    thread,
)

_IMPORTLIB = (
    "<frozen_importlib._bootstrap_external>:147 _path_stat",
    "<frozen_importlib._bootstrap>:1178 _find_and_load",
)


def _importing(*imported_from: str, deeper: tuple[str, ...] = ()) -> Process:
    """Slow calls on files of a share, while modules are imported that import others."""
    places = [*deeper]
    for place in imported_from:
        places += [*_IMPORTLIB, place]
    asks = in_call("openat", "", *places)
    frames = tuple(
        replace(one, file=one.file.removeprefix("/srv/").replace("_importlib", " importlib"))
        if "importlib" in one.file
        else one
        for one in asks.stack
    )
    own = next(i for i, one in enumerate(frames) if "importlib" not in one.file)
    slow = replace(
        line_of(asks, 90, 6 * S, 60 * MS), stack=frames, own=own, path="/mnt/lib/pkg/a/b.pyc"
    )
    one = blocking(wait=4 * S, file=6 * S)
    opens = call("openat", "", 90, wait=6 * S, longest=60 * MS)
    return replace(one, calls=(*one.calls, opens), lines=(slow,))


def test_imports_from_a_slow_file_system_are_told_by_where_they_begin() -> None:
    found = findings(_importing("pkg/__init__.py:42 <module>", "report.py:4 <module>"))["IO152"]
    assert found.title.startswith("Imports wait for a slow file system: report.py:4 looks for")
    assert found.evidence["path"] == "/mnt/lib/pkg/a"
    (line,) = found.lines
    assert line.startswith("report.py:4 <module> -> openat and other calls on files while it")
    # Deeper than stacks are kept: those that end within the import system began at the same place.
    one = _importing("pkg/__init__.py:42 <module>", "report.py:4 <module>")
    (whole,) = one.lines
    deep = replace(one, lines=(whole, replace(whole, stack=whole.stack[:-1])))
    (line,) = findings(deep)["IO152"].lines
    assert line.startswith("report.py:4 <module> -> openat")
    assert "180 slow calls" in line
    # A function that was imported long ago, or that calls something itself, is not importing.
    late = _importing("report.py:4 <module>", deeper=("app.py:9 load",))
    assert "Imports" not in findings(late)["IO152"].title


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("inotify_init1", "EMFILE", "max_user_instances"),
        ("inotify_add_watch", "ENOSPC", "max_user_watches"),
        ("openat", "EMFILE", "RLIMIT_NOFILE"),
        ("other", "EMFILE", "a call fails with EMFILE"),
    ],
)
def test_the_limits_of_inotify_are_others_than_those_of_files(
    name: str, error: str, told: str
) -> None:
    one = process([thread(user=S, recv=9 * S)], [call(name, "", 31, errors={error: 29})])
    found = findings(one)["IO130"]
    assert told in found.title
    # Where anything else fails so as well, there are no descriptors left.
    other = call("accept4", "tcp", 31, errors={error: 29})
    title = findings(replace(one, calls=(*one.calls, other)))["IO130"].title
    assert title.startswith(f"accept4 fails with {error}")
    assert "inotify" not in title


def test_of_descriptors_it_is_told_how_many_there_are_and_what_was_opened() -> None:
    opens = call("openat", "", 31, errors={"EMFILE": 29})
    at = in_call("openat", "", "app.py:12 open_basket")
    line = replace(line_of(at, 31, 0, 0), path="/srv/store/9/cache.db")
    of_traceback = in_call("openat", "", "lib/linecache.py:136 updatecache", "app.py:20 failed")
    source = replace(line_of(of_traceback, 900, 0, 0), path="/srv/app.py")
    one = process([thread(user=S, recv=9 * S)], [opens])
    limits = GroupLimits(open_files=256, most_open_files=256)
    found = findings(replace(one, lines=(source, line), limits=limits))["IO130"]
    assert found.evidence["one_that_it_opens"] == "/srv/store/9/cache.db"
    assert found.evidence["open_files"] == found.evidence["most_open_files"] == 256
    assert [told.split()[0] for told in found.lines] == ["srv/app.py:12"]
    assert "open_files" not in findings(one)["IO130"].evidence


def test_what_was_sent_again_costs_no_more_than_was_waited_for_it() -> None:
    (one,) = made_servers.senders(True)
    (row,) = one.descriptors
    lossy = replace(one, descriptors=(replace(row, retransmits=2_000, calls=900),))
    (lost,) = (found for found in judged(lossy).findings if found.id == "IO157")
    assert lost.cost_ns == 4 * S
    assert "2,000 segments to 127.0.0.1:40007" in lost.title
    assert "IO111" in {symptom.id for symptom in lost.symptoms}


def test_calls_of_several_threads_at_a_time_were_not_made_with_the_gil() -> None:
    """Of a thousand watchers each sleeps in read, and has given the GIL back."""
    (one,) = hangs.gil_asleep(True)
    asleep, waits = one.lines
    many = replace(asleep, total_ns=20 * LENGTH_NS, wait_ns=20 * LENGTH_NS)
    assert "IO145" not in findings(replace(one, lines=(many, waits)))


def test_threads_that_have_ended_have_waited_for_the_gil_at_the_same_time() -> None:
    (one,) = hangs.gil_asleep(True)
    calls = [
        replace(row, tid=0, wait_ns=20 * LENGTH_NS) if row.syscall == "futex" else row
        for row in one.calls
    ]
    ended = replace(thread(0, user=6 * S, lock=20 * LENGTH_NS), count=40)
    busy = replace(one, threads=(*one.threads[1:], ended), calls=tuple(calls))
    assert "IO145" not in findings(busy)


def test_a_function_that_has_given_its_lock_back_is_no_holder() -> None:
    """A cache's wrapper asks for the entry with a lock, and computes it without one."""
    entry, wrapper = "lib/cache.py:185 Core.get_entry", "lib/cache.py:270 cached"
    taking = in_call("futex", "", entry, wrapper, "app.py:20 index", *hangs.HANDLER)
    computing = in_call(
        "clock_nanosleep", "", "app.py:14 totals", wrapper.replace("270", "290"), "app.py:20 index",
        *hangs.HANDLER,
    )  # fmt: skip
    wake = Wake("", 26, 26 * S, S, 702, taking.own, taking.stack, 0, taking.stack)
    rows = [thread(tid, lock=8 * S, sleep=2 * S) for tid in (701, 702)]
    line = line_of(computing, 4, 5 * S, 2 * S, 702)
    one = replace(process(rows), lines=(line,), wakes=(wake,))
    assert "holder_sleeps_in" not in findings(one)["IO144"].evidence
    # One that takes it for its caller, and returns with it, leaves it to the caller.
    acquire = in_call(
        "futex", "", entry.replace("get_entry", "acquire"), wrapper, "app.py:20 index",
        *hangs.HANDLER,
    )  # fmt: skip
    kept = replace(wake, stack=acquire.stack, waker_stack=acquire.stack)
    held = findings(replace(one, wakes=(kept,)))["IO144"]
    assert held.evidence["holder_sleeps_in"] == "clock_nanosleep"


def test_memory_in_swap_is_no_mapped_file() -> None:
    (one,) = made_busy.faulting(True)
    assert one.limits is not None
    swapped = GroupLimits(swapped_bytes=90 << 20, swapped_in_pages=1 << 20)
    files = replace(swapped, swapped_in_pages=7)  # its faults were for something else
    assert "swap:" not in findings(replace(one, limits=files))["IO134"].title
    found = findings(replace(one, limits=swapped))["IO134"]
    assert found.title == "Memory is in swap: each use of it is a page fault"
    assert found.evidence["swapped_bytes"] == 90 << 20
    assert "too little memory" in found.advice
    both = replace(one.limits, swapped_bytes=90 << 20, swapped_in_pages=1 << 20)
    limited = findings(replace(one, limits=both))["IO134"]
    assert "at the memory limit of its control group" in limited.title
    assert "resources.limits.memory" in limited.advice
    few = GroupLimits(swapped_bytes=1 << 20, swapped_in_pages=1 << 20)
    assert "swap:" not in findings(replace(one, limits=few))["IO134"].title
    (gil,) = hangs.gil_asleep(True)
    faults = replace(gil, threads=(gil.threads[0], thread(701, fault=9 * S, poll=S)))
    kept = findings(replace(faults, limits=swapped, major_faults=900))["IO145"]
    assert "90 MiB of its memory are in swap" in kept.title
    assert "memmap" not in kept.advice


def test_short_waits_that_find_something_are_no_polling() -> None:
    (one,) = made_busy.empty_waits(True)
    assert "IO200" in findings(one)
    takes = [
        replace(row, syscall="recvfrom", kind="tcp", errors={}, wait_ns=0) for row in one.calls
    ]
    assert "IO200" not in findings(replace(one, calls=(*one.calls, *takes)))
    slow = [replace(row, errors={"ETIMEDOUT": 400}) for row in one.calls]
    assert "IO200" not in findings(replace(one, calls=tuple(slow)))
    sleeps = [replace(row, syscall="clock_nanosleep", errors={}) for row in one.calls]
    assert "IO200" in findings(replace(one, calls=tuple(sleeps)))
    gil = [replace(row, kind="gil") for row in one.calls]
    assert "IO200" not in findings(replace(one, calls=tuple(gil)))


def test_a_unix_socket_that_refuses_at_once() -> None:
    refused = call("connect", "unix", 40, errors={"EAGAIN": 9})
    one = process([thread(user=S, recv=9 * S)], [refused])
    found = findings(one)["IO199"]
    assert (found.severity, found.evidence["refused"]) == ("medium", 9)
    few = replace(refused, errors={"EAGAIN": 2, "ENOENT": 30})
    assert "IO199" not in findings(replace(one, calls=(few,)))


_DATAGRAMS = (
    "lib/socketserver.py:691 BaseRequestHandler.__init__",
    "lib/socketserver.py:238 BaseServer.serve_forever",
)


def _late_reader(peer: str) -> Process:
    """It reads a datagram, and sleeps for 20 ms."""
    sleeps = in_call("clock_nanosleep", "", "app.py:4 handle", *_DATAGRAMS)
    made = thread(sleep=9_900 * MS, user=100 * MS)
    one = process(
        [replace(made, in_call=sleeps)],
        [call("recvfrom", "udp", 450), call("clock_nanosleep", "", 450, wait=9_900 * MS)],
        (),
        [descriptor(5, kind="udp", local="0.0.0.0:8125", peer=peer, calls=450)],
    )
    overflowed = (Overflowed("0.0.0.0:8125", peer, 900),)
    return replace(
        one,
        lines=(line_of(sleeps, 450, 9_900 * MS, 23 * MS),),
        sockets=OpenSockets(1, ("127.0.0.1:8000",), 0, 0, overflowed=overflowed),
    )


def test_a_thread_that_reads_a_datagram_after_each_sleep_is_not_stuck() -> None:
    found = findings(_late_reader(""))
    assert "IO170" not in found
    lost = found["IO198"]
    assert lost.evidence["reader_busy_ratio"] == 1.0
    assert lost.lines[0].startswith("srv/app.py:4 handle -> clock_nanosleep: 450 times")
    assert "faster than the thread that reads" in lost.advice
    # One that asks its peer again and again does not.
    assert "IO170" in findings(_late_reader("10.0.0.9:53"))


def test_a_lock_file_that_nobody_removes() -> None:
    sleeps = in_call(
        "clock_nanosleep", "", "lib/site-packages/filelock/_api.py:344 BaseFileLock.acquire",
        "lib/site-packages/filelock/_api.py:376 BaseFileLock.__enter__", "job.py:4 load",
    )  # fmt: skip
    tries = call("openat", "", 200, errors={"EEXIST": 199})
    pauses = call("clock_nanosleep", "", 200, wait=9_900 * MS)
    one = process(
        [replace(thread(sleep=9_900 * MS, user=100 * MS), in_call=sleeps)], [tries, pauses]
    )
    opens = in_call(
        "openat", "", "lib/site-packages/filelock/_soft.py:33 _acquire", "job.py:4 load"
    )
    seen = replace(line_of(opens, 9, 90 * MS, 11 * MS), path="/mnt/cache/corpus.lock")
    asleep = line_of(sleeps, 200, 9_900 * MS, 51 * MS)
    stuck = findings(replace(one, lines=(asleep, seen)))["IO170"]
    assert stuck.title.endswith("for a lock file (/mnt/cache/corpus.lock) that is not released")
    assert "its maker has died" in stuck.advice
    # As many as succeeded: they may be those.
    other = replace(seen, calls=1, path="/srv/data/rows.parquet")
    assert "rows.parquet" not in findings(replace(one, lines=(asleep, other)))["IO170"].title


def test_answers_with_gaps_are_the_networks_fault() -> None:
    (one,) = elsewhere.one_peer(True)
    one = replace(one, sockets=OpenSockets(2, ("127.0.0.1:8000",), 0, 0))
    peer = "10.0.0.9:5432"
    rows = tuple(
        replace(row, segments_in=3_000, out_of_order=960) if row.peer == peer else row
        for row in one.descriptors
    )
    for begins, lost in ((5 * MS, True), (150 * MS, False)):
        times = Durations(40, begins, begins, begins, begins, begins)
        asked = Upstream(peer, "tcp", 40, 1, 0, None, times, None, None, 0, {})
        found = judged(replace(one, descriptors=rows, upstreams=(asked,))).findings
        told = {one.id: one for one in found}
        assert ("IO157" in told) is lost
        assert ("IO119" in told) is not lost
        if lost:
            assert f"Packets from {peer} are lost or overtaken" in told["IO157"].title
            assert told["IO157"].evidence["waited_in_transfers_ns"] == 6 * S - 40 * begins

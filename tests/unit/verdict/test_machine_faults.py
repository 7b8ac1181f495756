# SPDX-License-Identifier: Apache-2.0
"""What the machine and the network do to a program: which file, which peer, which name server."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Phase, Process
from iotrace.report.stacks import CpuSample
from tests.unit.verdict import hangs, made_busy, made_ends, made_servers
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    blocking,
    call,
    descriptor,
    findings,
    in_call,
    judged,
    line_of,
    loop,
    model_of,
    process,
    stack,
    thread,
)
from tests.unit.verdict.made_tasks import wait_of, with_tasks


def test_figures_of_a_recording_from_elsewhere_are_no_error() -> None:
    (one,) = made_servers.stolen(True)
    assert one.limits is not None
    for running in (-4 * S, -9 * S):
        assert "IO194" not in findings(
            replace(one, limits=replace(one.limits, machine_running_ns=running))
        )
    parent, *workers = made_ends.killed_workers(True)
    none = [replace(workers[0], count=9), *(replace(row, count=0) for row in workers[1:])]
    findings(parent, *none)
    (sleeps,) = made_servers.sleeping(True)
    calls = tuple(
        replace(row, in_flight=-(row.calls or 0)) if row.syscall == "clock_nanosleep" else row
        for row in sleeps.calls
    )
    assert "IO117" in findings(replace(sleeps, calls=calls))


SERVER = stack("lib/site-packages/flask/app.py:902 Flask.dispatch_request")
MOUNT = "fuse at /mnt/share"


def _looks(wait: int, longest: int, sleeps: int) -> Process:
    """A thread that looks at files of a share, and sleeps so often in that."""
    asks = in_call("newfstatat", "", "app.py:9 index", *hangs.HANDLER)
    slow = replace(line_of(asks, sleeps, wait, longest), path="/mnt/share/1.txt", file_system=MOUNT)
    phase = Phase(sleeps, longest, longest, longest)
    looks = replace(call("newfstatat", "", sleeps, wait=wait, longest=longest), waits_ns=phase)
    one = blocking(wait=10 * S - wait, file=wait)
    return replace(one, calls=(*one.calls, looks), lines=(slow,))


def test_a_slow_call_that_takes_a_path_is_told_with_it_and_its_mount() -> None:
    found = findings(_looks(4 * S, 400 * MS, 100))["IO152"]
    assert "newfstatat of /mnt/share/1.txt is waited for" in found.title
    assert found.evidence["path"] == "/mnt/share/1.txt"
    assert found.evidence["file_system"] == MOUNT
    assert "app.py:9 index -> newfstatat of /mnt/share/1.txt: 100 times" in found.lines[0]


def test_calls_of_threads_that_have_no_row_count_too() -> None:
    """The table of threads was full, or the thread has ended and was added up."""
    one = _looks(4 * S, 400 * MS, 100)
    calls = tuple(replace(row, tid=999) for row in one.calls)
    assert findings(replace(one, calls=calls))["IO152"].evidence["waited_in_it_ns"] == 4 * S


def test_who_has_to_allow_an_access_is_named_and_not_the_disk() -> None:
    """Where all that were in such calls at the end waited for it; a hang names it, too."""
    one = _looks(4 * S, 400 * MS, 100)
    asks = in_call("newfstatat", "", "app.py:9 index", *hangs.HANDLER, peer="/srv/1", wait=S)
    asked = replace(asks, allowed_by=("902 clamonacc",))
    rows = [replace(one.threads[0], in_call=asked)]
    found = findings(replace(one, threads=tuple(rows)))["IO152"]
    assert "waits for process 902 clamonacc (fanotify" in found.title
    assert found.evidence["allowed_by"] == "902 clamonacc"
    also = replace(thread(701, recv=10 * S), in_call=asks)
    assert "slow" in findings(replace(one, threads=(*rows, also)))["IO152"].title
    (stuck,) = judged(
        process([hangs.waiting(PID, replace(asked, wait_ns=10 * S), file=10 * S)])
    ).findings
    assert "process 902 clamonacc has to allow it" in stuck.title


def test_calls_of_some_milliseconds_are_no_slow_file_system_unless_they_take_a_thread() -> None:
    assert "IO152" not in findings(_looks(1_200 * MS, 11 * MS, 300))
    assert "IO152" in findings(_looks(1_200 * MS, 40 * MS, 100))
    assert "IO152" in findings(_looks(2_400 * MS, 11 * MS, 600))


def test_a_hang_on_a_mount_names_it() -> None:
    asks = replace(
        in_call("statfs", "", "app.py:9 metrics", *hangs.HANDLER, peer="/mnt/share"),
        file_system=MOUNT,
    )
    (found,) = judged(process([hangs.waiting(PID, asks, file=10 * S)])).findings
    assert "hangs in statfs of /mnt/share: neither the file system" in found.title
    assert found.evidence["path"] == "/mnt/share"
    assert found.evidence["file_system"] == MOUNT
    assert found.lines[0].startswith("app.py:9 metrics -> statfs of /mnt/share") or (
        "app.py:9 metrics -> statfs of /mnt/share" in found.lines[0]
    )


def test_look_ups_that_try_a_search_list_are_told_apart() -> None:
    def resolving(rounds: int) -> Process:
        asks = in_call("poll", "udp", "lib/socket.py:962 getaddrinfo", "app.py:9 index", fd=9)
        names = descriptor(
            9, kind="udp", local="10.0.0.7:40001", peer="10.0.0.2:53", opened=rounds,
            polled=rounds * 40 * MS,
        )  # fmt: skip
        service = descriptor(8, local="10.0.0.7:50000", peer="10.0.0.9:443", opened=50)
        one = blocking(wait=2 * S, poll=rounds * 40 * MS)
        lines = (line_of(asks, rounds, rounds * 40 * MS, 41 * MS),)
        return replace(one, descriptors=(*one.descriptors, names, service), lines=lines)

    found = findings(resolving(200))["IO118"]
    assert "200 rounds of queries to the DNS server 10.0.0.2:53, 40 ms each" in found.title
    assert found.evidence["rounds_per_connection"] == 4.0
    assert "search list" in found.advice
    assert "app.py:9 index" in found.lines[0]
    once = findings(resolving(50))["IO118"]
    assert "rounds_per_connection" not in once.evidence
    assert "search list" not in once.advice


def test_look_ups_of_asyncio_tasks_are_told_where_the_program_has_them() -> None:
    """A thread of the loop's executor makes them: it has no line of the program's own."""
    resolves = "lib/site-packages/aiohttp/connector.py:995 TCPConnector._resolve_host"
    connects = "lib/site-packages/aiohttp/connector.py:548 BaseConnector.connect"
    asks = in_call("poll", "udp", "lib/socket.py:962 getaddrinfo", fd=9)
    names = descriptor(
        9, kind="udp", local="10.0.0.7:40001", peer="10.0.0.2:53", opened=50, polled=2 * S
    )
    one = with_tasks(wait_of(resolves, connects, "messages.py:11 send", tasks=1))
    one = replace(one, descriptors=(names,), lines=(line_of(asks, 50, 2 * S, 41 * MS),))
    found = findings(one)["IO118"]
    assert found.lines[0].startswith("socket.py:962 getaddrinfo")
    assert found.lines[1].startswith("messages.py:11 send: 1 asyncio task")
    waits = with_tasks(wait_of(connects, "messages.py:11 send", tasks=1))
    one = replace(one, tasks=waits.tasks)
    assert len(findings(one)["IO118"].lines) == 1


def test_the_file_that_has_no_room_is_told() -> None:
    (one,) = made_busy.exhausted(True)
    writes = call("write", "file", 5_000, errors={"ENOSPC": 900})
    errors = descriptor(2, kind="file", local="/var/log/err", peer="", calls=4_100)
    full = descriptor(4, kind="file", local="/full/log", peer="", calls=900, bytes_out=0)
    one = replace(one, calls=(writes,), descriptors=(errors, full))
    found = findings(one)["IO130"]
    assert found.title.startswith("write to /full/log fails with ENOSPC")
    assert found.evidence["path"] == "/full/log"


def test_a_spin_on_a_socket_whose_peer_refuses_names_the_peer() -> None:
    (one,) = made_servers.spinning(True)
    sends = call("sendto", "udp", 20, errors={"ECONNREFUSED": 10})
    gone = descriptor(6, kind="udp", peer="10.0.0.5:4141")
    one = replace(one, calls=(*one.calls, sends), descriptors=(*one.descriptors, gone))
    found = findings(one)["IO106"]
    assert "10.0.0.5:4141 refuses or is gone (ECONNREFUSED)" in found.title
    assert "EPOLLERR" in found.advice
    another = descriptor(9, kind="udp", peer="10.0.0.6:4141")
    either = replace(one, descriptors=(*one.descriptors, another))
    assert "peer" not in findings(either)["IO106"].evidence


def test_who_has_the_gil_may_sleep_in_a_page_fault() -> None:
    (one,) = hangs.gil_asleep(True)
    faulting = thread(701, fault=9 * S, poll=S)
    place = CpuSample(701, 0, 0, 0, 0, 31, 0, stack("app.py:15 similar"))
    one = replace(one, threads=(one.threads[0], faulting), cpu_samples=(place,), major_faults=31)
    found = findings(one)["IO145"]
    assert found.title.startswith("A thread sleeps in page faults and keeps Python's GIL")
    assert found.lines == ("srv/app.py:15 similar: 31 major page faults",)
    rarely = replace(one, threads=(one.threads[0], thread(701, fault=S, sleep=9 * S)))
    assert "page faults" not in findings(rarely)["IO145"].title


def test_a_child_that_writes_to_a_terminal_of_its_parents_making() -> None:
    waits = in_call("wait4", "", "lib/ptyprocess.py:670 wait", "app.py:10 backup")
    written = in_call("write", "tty", "tool.py:3 main", fd=1, peer="/dev/pts/3", others=(PID,))
    parent = process([hangs.waiting(PID, waits, child=10 * S)])
    child = process([hangs.waiting(702, written, send=10 * S)], pid=702, parent=PID)
    (found,) = judged(parent, child).findings
    assert "the child writes to its terminal (/dev/pts/3)" in found.title
    assert ["app.py:10" in found.lines[0], "tool.py:3" in found.lines[1]] == [True, True]
    on_a_screen = replace(written, others=())
    child = process([hangs.waiting(702, on_a_screen, send=10 * S)], pid=702, parent=PID)
    told = judged(parent, child).findings
    assert "Deadlock" not in " ".join(one.title for one in told)


def test_requests_that_look_again_and_again_are_told_so() -> None:
    (one,) = made_busy.computing_requests(True)
    looks = call("wait4", "", 900_000)
    found = findings(replace(one, calls=(*one.calls, looks)))["IO178"]
    assert "calls wait4 again and again" in found.title
    assert "child.wait()" in found.advice
    assert "again" not in findings(one)["IO178"].title


def test_tasks_that_wait_for_a_full_pool_of_the_loop_are_told() -> None:
    (pool,) = hangs.full_pool(True)
    job = in_call("openat", "", *hangs.WORKER, wait=200 * MS, since=9 * S, peer="/mnt/share/1")
    rows = [hangs.waiting(tid, job, file=10 * S) for tid in (701, 702)]
    waits = with_tasks(
        wait_of("lib/site-packages/aiofiles/base.py:70 __aenter__", "server.py:12 file"),
        wait_of("lib/asyncio/tasks.py:639 sleep", "server.py:30 heartbeat"),
    )
    one = replace(pool, threads=tuple(rows), tasks=waits.tasks)
    found = findings(one)["IO142"]
    assert any("server.py:12 file" in line for line in found.lines), found.lines
    assert not any("heartbeat" in line for line in found.lines)


def test_a_stopped_child_of_an_event_loop_has_the_tasks_line() -> None:
    waits = wait_of(
        "lib/asyncio/base_subprocess.py:230 BaseSubprocessTransport._wait",
        "lib/asyncio/subprocess.py:134 Process.wait",
        "server.py:12 hook",
        tasks=2,
    )
    child = process([thread(811, signal=10 * S)], pid=811, parent=PID)
    found = judged(with_tasks(waits), child).findings[0]
    assert (found.id, found.severity) == ("IO190", "high")
    assert "its child (811 python3), stopped for 10 s" in found.title
    assert found.lines[0].startswith("server.py:12 hook")
    assert [one.id for one in found.symptoms] == ["IO190"]
    assert "`kill -CONT 811`" in found.advice


def test_a_stop_of_a_moment_is_a_debuggers() -> None:
    _, child = hangs.stopped(True)
    short = replace(child, threads=(thread(811, signal=S, poll=9 * S),))
    assert "IO190" not in findings(short)


def test_a_multiplexer_in_a_handler_is_no_event_loop() -> None:
    """libcurl polls three descriptors while a thread of a server handles a request."""
    curl = in_call("poll", "", "app.py:20 index", *hangs.HANDLER)
    curl = replace(curl, stack=(*curl.stack, *SERVER))
    one = process(
        [replace(thread(poll=9 * S, user=S), requests=20)],
        [call("accept4", "tcp", 20), call("recvfrom", "tcp", 60), call("sendto", "tcp", 60)],
        [loop("poll", 60, empty=20, timeouts=20, nfds=3, watched=3, data=40)],
        [descriptor(7, nonblocking=False)],
    )
    handled = replace(one, lines=(line_of(curl, 60, 9 * S, S),))
    # One that was in the middle of a request when the trace began has read none.
    (row,) = one.threads
    answers = replace(handled, threads=(replace(row, requests=0),), calls=one.calls[1:])
    assert "IO104" not in findings(answers)
    assert model_of(answers).id == model_of(handled).id
    assert model_of(one).id == "poll"
    assert model_of(handled).id == "blocking"
    own = in_call("poll", "", "app.py:30 run", fd=None)
    assert model_of(replace(one, lines=(line_of(own, 60, 9 * S, S),))).id == "poll"


def test_a_select_that_only_runs_out_tells_no_thread_to_read() -> None:
    one = replace(
        blocking(wait=5 * S, poll=4_500 * MS),
        loops=(loop("select", 20, empty=20, timeouts=20, nfds=0, data=0, wait=4_500 * MS),),
    )
    assert model_of(one).id == "blocking"

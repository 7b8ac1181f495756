"""Waits for peers and files: what is one, what is none, and which finding tells of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iotrace.report.model import FileLockWait, OpenSockets, Process
from iotrace.report.requests import Requests, Upstream
from iotrace.report.times import Durations
from tests.found import by_rule
from tests.unit.verdict import elsewhere
from tests.unit.verdict.made import (
    MS,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    findings,
    in_call,
    judged,
    line,
    line_of,
    process,
    stack,
    thread,
)


def test_a_consumer_is_idle_while_it_waits_for_the_next_job() -> None:
    (server,) = elsewhere.tail(True)
    fetches = line(
        "recvfrom",
        "tcp",
        8,
        997,
        total=6 * S,
        functions=("Redis.blpop",),
        file="/x/redis/client.py",
    )
    assert "IO119" in findings(server)
    assert "IO119" not in findings(replace(server, lines=(fetches,)))


_IN_JOB = "lib/site-packages/celery/app/trace.py:564 build_tracer.<locals>.trace_task"
_IN_REQUEST = "lib/site-packages/flask/app.py:902 Flask.dispatch_request"
_COMMAND = "lib/site-packages/django/core/management/base.py:459 BaseCommand.execute"


@pytest.mark.parametrize(
    ("function", "caller", "told"),
    [
        ("Redis.blpop", _IN_JOB, True),
        ("Redis.blpop", _IN_REQUEST, True),
        ("PubSub.listen", _IN_JOB, True),
        ("PubSub.listen", _IN_REQUEST, False),  # it streams what comes
        ("Redis.blpop", _COMMAND, False),  # a consumer of the program's own
        ("Redis.blpop", "lib/concurrent/futures/thread.py:58 _WorkItem.run", False),
    ],
)
def test_within_a_job_or_a_request_it_waits_for_an_answer(
    function: str, caller: str, *, told: bool
) -> None:
    (server,) = elsewhere.tail(True)
    pops = f"lib/site-packages/redis/client.py:2588 {function}"
    waits = in_call("recvfrom", "tcp", pops, "app.py:19 orders", caller, fd=8)
    one = replace(server, lines=(line_of(waits, 997, 6 * S, S),))
    assert ("IO119" in findings(one)) is told


def test_a_program_that_does_not_listen_has_peers_too() -> None:
    one = blocking(wait=7 * S)
    rows = (descriptor(8, local="10.0.0.7:51000", peer="10.0.0.9:5432", wait=6 * S),)
    client = replace(one, descriptors=rows, sockets=OpenSockets(1))
    found = by_rule(judged(client).findings)
    assert found["IO119"].evidence["peer"] == "10.0.0.9:5432"
    # A connection that it was handed by the process that accepted it has a server's port.
    handed = replace(one, descriptors=(descriptor(8, wait=6 * S),), sockets=OpenSockets(1))
    assert "IO119" not in by_rule(judged(handed).findings)


def _script(times: Durations, **changed: Any) -> Process:
    """It serves nobody, and waits for one service nearly all of its time."""
    rows = (descriptor(8, local="10.0.0.7:51000", peer="10.0.0.9:80", wait=9_500 * MS),)
    asked = Upstream("10.0.0.9:80", "tcp", times.count, 1, 0, None, times, None, None, 0, {})
    calls = [call("recvfrom", "tcp", times.count), call("sendto", "tcp", times.count)]
    one = process([thread(user=500 * MS, recv=9_500 * MS)], calls, (), rows)
    return replace(one, upstreams=(asked,), sockets=OpenSockets(1), **changed)


_QUICK = Durations(470, 20 * MS, 21 * MS, 22 * MS, 24 * MS, 25 * MS)


def test_a_script_may_wait_for_a_service_that_answers_quickly() -> None:
    assert "IO119" not in by_rule(judged(_script(_QUICK)).findings)


@pytest.mark.parametrize(
    "times",
    [
        Durations(32, 300 * MS, 300 * MS, 310 * MS, 310 * MS, 310 * MS),
        Durations(200, 20 * MS, 40 * MS, 200 * MS, 220 * MS, 220 * MS),  # not evenly
        Durations(470, 20 * MS, 21 * MS, 22 * MS, 400 * MS, 400 * MS),
        Durations(100, 20 * MS, 20 * MS, 20 * MS, 20 * MS, 20 * MS),  # they end much later
    ],
)
def test_a_script_whose_service_is_slow_is_told_so(times: Durations) -> None:
    assert by_rule(judged(_script(times)).findings)["IO119"].evidence["peer"] == "10.0.0.9:80"


def test_who_is_waited_for_is_told_of_quick_services_too() -> None:
    asking = in_call(
        "recvfrom", "tcp", "lib/socket.py:706 recv", "tasks.py:9 report",
        "lib/site-packages/celery/app/trace.py:477 trace_task", fd=8,
    )  # fmt: skip
    job = _script(_QUICK, lines=(line_of(asking, 470, 9 * S, 25 * MS),))
    assert "IO119" in by_rule(judged(job).findings)
    listens = OpenSockets(1, listening=("127.0.0.1:8000",))
    assert "IO119" in by_rule(judged(replace(_script(_QUICK), sockets=listens)).findings)
    script = _script(_QUICK)
    lossy = tuple(replace(one, retransmits=3) for one in script.descriptors)
    assert "IO119" in by_rule(judged(replace(script, descriptors=lossy)).findings)


def test_a_file_lock_that_is_tried_again_is_told_in_place_of_its_sleeps() -> None:
    """As SQLite's busy handler does, in the program's own execute()."""
    one = blocking(wait=5 * S, sleep=4 * S)
    sleeps = call("clock_nanosleep", "", 53, wait=4 * S)
    tries = call("fcntl", "file", 160, errors={"EAGAIN": 53})
    row = replace(descriptor(5, kind="file", local="/srv/app.db", peer=""), eagain=53)
    locks = replace(one, calls=(*one.calls, sleeps, tries), descriptors=(row,))
    found = judged(locks).findings
    (locked,) = (finding for finding in found if finding.id == "IO151")
    assert locked.evidence["path"] == "/srv/app.db"
    assert locked.evidence["asleep_ns"] == 4 * S
    assert "IO117" in {symptom.id for symptom in locked.symptoms}
    assert "SQLite" in locked.advice
    allowed = replace(tries, errors={})
    program_sleeps = replace(locks, calls=(*one.calls, sleeps, allowed))
    assert [finding.id for finding in judged(program_sleeps).findings] == ["IO117"]


def test_a_lock_file_that_is_tried_again_is_named_by_its_holder() -> None:
    """The file is opened anew for each try: its path is the holder's."""
    sleeps = call("clock_nanosleep", "", 53, wait=4 * S)
    tries = call("flock", "file", 53, errors={"EAGAIN": 53})
    row = replace(descriptor(5, kind="file", local="", peer=""), eagain=53)
    held = FileLockWait("flock", "/srv/state.lock", 700, "python3")
    one = process([thread(sleep=4 * S, user=6 * S)], [sleeps, tries], (), [row])
    (locked,) = judged(replace(one, file_lock_waits=(held,))).findings
    assert (locked.id, locked.evidence["path"]) == ("IO151", "/srv/state.lock")
    assert locked.evidence["had_by"] == "process 700 python3"
    assert "SQLite" not in locked.advice


@pytest.mark.parametrize(("makes", "looks", "found"), [
    ("openat", 0, True), ("linkat", 300, True), ("mkdir", 10, True), ("mkdir", 300, False),
])  # fmt: skip
def test_a_lock_that_is_a_file_which_is_there(makes: str, looks: int, found: bool) -> None:
    """The last one makes its folder where it is not there, and then looks for work in it."""
    sleeps = call("clock_nanosleep", "", 53, wait=4 * S)
    tries = call(makes, "", 54, errors={"EEXIST": 52})
    files = call("newfstatat", "", looks)
    one = process([thread(sleep=4 * S, user=6 * S)], [sleeps, tries, files], (), [])
    seen = replace(line(makes, "", -1, 54, total=S), path="/srv/build/stats.lock")
    hits = findings(replace(one, lines=(seen,)))
    assert ("IO151" in hits) is found
    if found:
        assert hits["IO151"].evidence["path"] == "/srv/build/stats.lock"
        assert hits["IO151"].evidence["found_there"] == 52


def test_a_database_that_another_connection_of_the_process_has_locked() -> None:
    """SQLite takes no lock then; after each sleep it reads 16 bytes of the file."""
    one = blocking(wait=5 * S, sleep=4 * S)
    sleeps = call("clock_nanosleep", "", 53, wait=4 * S)
    looks = call("pread64", "file", 54, bytes=54 * 16)
    row = descriptor(5, kind="file", local="/srv/app.db", peer="", calls=54)
    server = replace(one, descriptors=(row,))
    waits = replace(server, calls=(*one.calls, sleeps, looks))
    found = findings(waits)["IO151"]
    assert found.evidence["path"] == "/srv/app.db"
    assert "another connection of this process, which has the database locked" in found.title
    assert "SQLite's, not the program's" in found.advice
    # A connection for each request, which reads some pages first; its journal had this number, too.
    pages = replace(looks, bytes=54 * 16 + 6 * 4096)
    journal = replace(row, local="/srv/app.db-journal")
    opened = replace(waits, calls=(*one.calls, sleeps, pages), descriptors=(journal,))
    assert findings(opened)["IO151"].evidence["path"] == "/srv/app.db"
    # A program that is started reads its own file so: `sleep 1`, again and again.
    assert "IO151" not in findings(replace(waits, python=None))
    # Somebody who reads data between sleeps.
    data = replace(server, calls=(*one.calls, sleeps, replace(looks, bytes=54 * 4096)))
    assert "IO151" not in findings(data)
    # One that sleeps by itself, and runs a transaction each time.
    locks = call("fcntl", "file", 54 * 5)
    own = replace(server, calls=(*one.calls, sleeps, looks, locks))
    assert "IO151" not in findings(own)


def test_a_sleep_that_may_be_sqlites_is_said_so() -> None:
    """In WAL mode its busy handler makes no other call."""
    for local, asleep, told in (
        ("/srv/app.db-wal", 4 * S, True),
        ("/srv/app.log", 4 * S, False),
        ("/srv/app.db-wal", 8 * S, False),
    ):
        one = blocking(wait=S, sleep=asleep)
        sleeps = call("clock_nanosleep", "", 53, wait=asleep)
        row = descriptor(5, kind="file", local=local, peer="", calls=54)
        seen = replace(one, calls=(*one.calls, sleeps), descriptors=(row,))
        assert ("busy handler" in findings(seen)["IO117"].advice) is told


def test_a_file_lock_that_never_comes_is_said_so() -> None:
    one = blocking(wait=0, file=10 * S)
    waits = replace(call("flock", "file", 0, wait=10 * S), in_flight=1, latency_ns=None)
    row = descriptor(5, kind="file", local="/srv/a.lock", peer="", wait=10 * S)
    process = replace(one, calls=(waits,), descriptors=(row,))
    locked = findings(process)["IO151"]
    assert locked.severity == "high"
    assert "never came (flock on /srv/a.lock)" in locked.title
    assert locked.evidence["longest_ns"] == 10 * S


def test_answers_that_are_often_late_are_no_tail() -> None:
    (server,) = elsewhere.tail(True)
    (slow,) = server.lines
    assert slow.latency_ns is not None
    few = replace(slow.latency_ns, histogram=((268 * MS, 403 * MS, 12),))
    calls = {True: 1_200, False: 60}
    for rare, count in calls.items():
        rows = tuple(replace(one, calls=count) for one in server.descriptors)
        asked = replace(server, lines=(replace(slow, latency_ns=few),), descriptors=rows)
        assert ("IO150" in findings(asked)) is rare


def test_answers_are_counted_where_each_was_seen_for_itself() -> None:
    """urlopen reads an answer with several calls: of its calls, no number of answers follows."""
    (server,) = elsewhere.tail(True)
    for most, tail in ((5 * MS, True), (300 * MS, False)):
        buckets = ((most, most, 588), (400 * MS, 400 * MS, 12))
        theirs = Durations(600, most, most, 400 * MS, 400 * MS, 400 * MS, buckets)
        seen = Upstream("10.0.0.9:5432", "tcp", 600, 1, 0, None, theirs, None, None, 0, {})
        found = findings(replace(server, upstreams=(seen,)))
        assert ("IO150" in found) is tail
        nobody = replace(server, upstreams=(seen,), lines=())  # a loop that waits for its next job
        assert "IO150" not in findings(nobody)


def test_retransmissions_count_against_what_was_sent() -> None:
    one = event_loop()
    for again, calls, found in ((31, 900, True), (31, 90_000, False), (7, 90, False)):
        row = replace(descriptor(8, calls=calls), retransmits=again)
        lossy = replace(one, descriptors=(one.descriptors[0], row))
        assert ("IO157" in findings(lossy)) is found


def test_a_client_that_sleeps_between_its_calls_keeps_nobody_waiting() -> None:
    one = blocking(wait=4 * S, sleep=5 * S)
    sleeps = call("clock_nanosleep", "", 503, wait=5 * S)
    calls = tuple(row for row in one.calls if row.syscall != "accept4")
    rows = (descriptor(8, local="10.0.0.7:51000", peer="10.0.0.9:5432"),)
    client = replace(one, calls=(*calls, sleeps), descriptors=rows, sockets=OpenSockets(1))
    found = by_rule(judged(client).findings)["IO117"]
    assert (found.severity, found.title) == ("low", "Sleeps between its calls to other services")
    server = replace(one, calls=(*one.calls, sleeps))
    assert findings(server)["IO117"].severity == "high"


def test_threads_that_try_the_same_lock_are_told_once() -> None:
    threads = [thread(tid, sleep=4 * S, user=6 * S) for tid in (701, 702)]
    calls = [
        made
        for tid in (701, 702)
        for made in (
            call("clock_nanosleep", "", 53, tid=tid, wait=4 * S),
            call("fcntl", "file", 160, tid=tid, errors={"EAGAIN": 53}),
        )
    ]
    (found,) = judged(process(threads, calls)).findings
    assert (found.id, found.evidence["threads"], found.cost_ns) == ("IO151", 2, 8 * S)


def test_one_send_for_each_request_is_held_by_nobody() -> None:
    """Clients that pause for 40 ms; not all of these waits are kept with their lines."""
    (server,) = elsewhere.nagle(True)
    for exchanges, found in ((100, True), (200, False)):
        row = Requests("127.0.0.1:8000", 1, exchanges, 0, None, None, None, None, None, None)
        assert ("IO154" in findings(replace(server, requests=(row,)))) is found


def test_acknowledgements_that_a_busy_machine_hands_over_late() -> None:
    """As many as come in time may take some ms more; more of them wait for something else."""
    in_time, late = (33_554_432, 50_331_648), (50_331_648, 67_108_864)
    (quiet,) = elsewhere.nagle(True)
    states = quiet.threads[0].states_ns
    waits_for_cpu = replace(quiet.threads[0], states_ns=replace(states, runq=S))
    server = replace(quiet, threads=(waits_for_cpu, *quiet.threads[1:]))
    (row,) = server.lines
    assert row.latency_ns is not None
    for counts, waits in (((53, 44), 97), ((59, 38), 97), ((31, 66), 62), ((17, 80), None)):
        buckets = tuple(
            (*place, count) for place, count in zip((in_time, late), counts, strict=True)
        )
        times = replace(row.latency_ns, histogram=buckets)
        found = findings(replace(server, lines=(replace(row, latency_ns=times),)))
        told = found["IO154"].evidence["waits_of_40_ms"] if "IO154" in found else None
        assert told == waits, counts
    even = replace(row.latency_ns, histogram=((*in_time, 51), (*late, 46)))
    assert "IO154" not in findings(replace(quiet, lines=(replace(row, latency_ns=even),)))


def _bot(each: int = 2 * S, at_once: int = 2, threads: int = 3, waited: int = 19 * S) -> Process:
    """Threads that ask a slow service; another one brings them what to do."""
    times = Durations(9, each, each, each, each, each)
    asked = Upstream("10.0.0.9:80", "tcp", 9, at_once, 0, None, times, None, None, 0, {})
    half = waited // 2
    rows = tuple(
        descriptor(fd, local=f"10.0.0.7:5100{fd}", peer="10.0.0.9:80", wait=half, calls=9)
        for fd in (8, 9)
    )
    all_of_them = [thread(tid=1_000 + number, recv=10 * S) for number in range(threads)]
    calls = [call("recvfrom", "tcp", 9, tid=1_000 + number) for number in range(threads)]
    one = process(all_of_them, calls, (), rows)
    return replace(one, upstreams=(asked,), sockets=OpenSockets(1))


def test_callers_that_are_always_busy_are_told() -> None:
    title = by_rule(judged(_bot()).findings)["IO119"].title
    assert "no more than 2 threads ask it at once" in title
    assert "95 % of the time" in title  # what was waited: calls from before the trace count as well
    for other in (_bot(at_once=3), _bot(threads=2), _bot(each=S), _bot(waited=9 * S)):
        found = by_rule(judged(other).findings)
        assert "IO119" in found
        assert "at once" not in found["IO119"].title


def test_of_several_peers_none_dominates() -> None:
    one = blocking(wait=9 * S)
    rows = tuple(
        descriptor(fd, local=f"10.0.0.7:5100{fd}", peer=f"10.0.0.{fd}:80", wait=waited)
        for fd, waited in ((8, 5_500 * MS), (9, 3_500 * MS))
    )
    client = replace(one, descriptors=rows, sockets=OpenSockets(1))
    titles = [found.title for found in judged(client).findings if found.id == "IO119"]
    assert titles[0] == "One peer dominates the wait: 10.0.0.8:80"
    assert titles[1].startswith("Waits for 10.0.0.9:80: 3.5 s, as long as 36.8 % of the time of ")


def test_an_acceptor_that_starts_threads_is_told_to_keep_some() -> None:
    (server,) = elsewhere.overflow(True)
    frames = stack(
        "lib/threading.py:327 Condition.wait", "lib/threading.py:629 Event.wait",
        "lib/threading.py:969 Thread.start",
        "lib/socketserver.py:697 ThreadingMixIn.process_request", "app.py:9 <module>",
    )  # fmt: skip
    starts = replace(server.lines[0], syscall="futex", stack=frames)
    advice = findings(replace(server, lines=(starts,)))["IO155"].advice
    assert "Keep a fixed number of threads" in advice
    assert "hand the connection to a thread" not in advice
    assert "hand the connection to a thread" in findings(server)["IO155"].advice


def test_calls_under_way_at_both_ends_of_a_short_trace_count() -> None:
    """Of 10 s each caller waits 9.5; two answers are known of each, others came and go around."""
    times = Durations(4, 2 * S, 2 * S, 2 * S, 2 * S, 2 * S)
    one = _bot()
    asked = replace(one.upstreams[0], theirs_ns=times, unanswered=2, oldest_unanswered_ns=4 * S)
    title = by_rule(judged(replace(one, upstreams=(asked,))).findings)["IO119"].title
    assert "busy with that 95 % of the time" in title
    late = replace(asked, unanswered=0, oldest_unanswered_ns=None)
    title = by_rule(judged(replace(one, upstreams=(late,))).findings)["IO119"].title
    assert "busy" not in title


def test_a_bot_that_asks_for_news_waits_for_work() -> None:
    one = _bot()
    where = "lib/site-packages/telebot/apihelper.py:90 get_updates"
    news = replace(
        line("poll", "", 8, 12, total=9 * S),
        stack=stack("lib/socket.py:706 SocketIO.readinto", where, "app.py:9 <module>"),
    )
    assert "IO119" in findings(replace(one, lines=(replace(news, stack=news.stack[:1]),)))
    assert "IO119" not in findings(replace(one, lines=(news,)))


@pytest.mark.parametrize(
    ("lost", "answered", "severity"),
    [(4, 5, "medium"), (5, 45, "high"), (5, 46, "medium"), (10, 90, "high"), (10, 91, "medium")],
)
def test_five_lost_requests_and_a_tenth_of_all_are_of_high_severity(
    lost: int, answered: int, severity: str
) -> None:
    (one,) = elsewhere.closed_too_soon(True)
    row = replace(one.requests[0], after_close=lost, exchanges=answered)
    assert findings(replace(one, requests=(row,)))["IO215"].severity == severity

"""Services that are waited for though no thread sleeps in a call to them; peers that are gone."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import (
    Connected,
    OneSided,
    OpenSockets,
    Process,
    Signal,
    Silent,
    Unsent,
)
from iotrace.report.requests import Requests, Upstream
from iotrace.report.stacks import Wake
from iotrace.report.times import Durations
from tests.unit.verdict import made_busy
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    findings,
    in_call,
    judged,
    line_of,
    process,
    thread,
)
from tests.unit.verdict.made_tasks import ASKS, PEER, STREAMS, wait_of, with_tasks

_CONNECTS = (
    "lib/asyncio/selector_events.py:634 BaseSelectorEventLoop.sock_connect",
    "lib/site-packages/aiohttp/connector.py:1115 TCPConnector._wrap_create_connection",
    "lib/site-packages/aiohttp/client.py:703 ClientSession._request",
    "app.py:10 index",
    "lib/site-packages/aiohttp/web_app.py:569 Application._handle",
)
_RESOLVES = ("lib/asyncio/base_events.py:900 BaseEventLoop.getaddrinfo", *_CONNECTS)


def _took(each: int, count: int = 12) -> Durations:
    return Durations(count, *(each,) * 5, histogram=((each, each, count),))


def _slow(request: int, theirs: int) -> Process:
    """An event loop whose requests and whose calls upstream take so long each."""
    row = Requests("127.0.0.1:8000", 4, 12, 0, None, _took(request), None, None, None, None)
    upstream = Upstream(PEER, "tcp", 12, 4, 0, None, _took(theirs), None, None, 0, {})
    return replace(with_tasks(wait_of(*ASKS, longest=S)), requests=(row,), upstreams=(upstream,))


def test_a_service_that_slow_requests_wait_for_is_named_with_the_tasks_line() -> None:
    found = findings(_slow(1_500 * MS, 1_400 * MS))["IO165"]
    assert found.title == (
        "Requests wait for 10.0.0.9:5432: half of its answers take 1.4 s or longer, which is "
        "93.3 % of the time of the requests (typically 1.5 s)"
    )
    assert found.evidence["at_once"] == 4
    assert found.lines[0].startswith("srv/app.py:24 quote: 7 asyncio tasks")


def test_a_service_of_300_ms_is_named_too() -> None:
    found = findings(_slow(300 * MS, 290 * MS))["IO165"]
    assert "half of its answers take 290 ms or longer" in found.title
    unseen = replace(wait_of(*ASKS), longest_ns=0)
    short = replace(_slow(300 * MS, 290 * MS), tasks=with_tasks(unseen).tasks)
    (line,) = findings(short)["IO165"].lines
    assert line.endswith("on the average")  # and nothing of "longest 0 ms"


def test_few_requests_count_with_those_that_still_wait() -> None:
    for took, count, owed, oldest, told in (
        (900, 4, 2, S, True), (900, 4, 2, 100 * MS, False), (900, 4, 0, 0, False),
        (4_000, 2, 0, 0, True), (4_000, 1, 1, S, True), (4_000, 1, 0, 0, False),
    ):  # fmt: skip
        one = _slow(took * MS, took * MS)
        (row,), (upstream,) = one.requests, one.upstreams
        latency = _took(took * MS, count)
        few = replace(row, exchanges=count, latency_ns=latency, unanswered=owed)
        few = replace(few, oldest_unanswered_ns=oldest)
        rows = (replace(upstream, theirs_ns=latency),)
        assert ("IO165" in findings(replace(one, requests=(few,), upstreams=rows))) is told


def test_a_service_that_is_slow_now_and_then_is_told_with_its_longest_answer() -> None:
    one = _slow(1_500 * MS, 1_400 * MS)
    (upstream,) = one.upstreams
    mixed = Durations(62, MS, MS, S, S, 1_400 * MS, histogram=((MS, MS, 50), (S, S, 12)))
    found = findings(replace(one, upstreams=(replace(upstream, theirs_ns=mixed),)))["IO165"]
    assert ": its answers take up to 1.4 s (half of them 1 ms or less), which is" in found.title


def test_the_way_in_the_client_and_new_connections_are_told() -> None:
    one = _slow(1_500 * MS, 1_400 * MS)
    found = findings(one)["IO165"]
    assert found.evidence["asked_in"] == "receive (anyio)"
    assert "new connection" not in found.title
    (upstream,) = one.upstreams
    for made, told in ((12, True), (9, False), (4, False)):
        anew = replace(upstream, connect_ns=_took(MS, made))
        found = findings(replace(one, upstreams=(anew,)))["IO165"]
        assert found.title.endswith(", on a new connection for each request") is told
        assert found.advice.startswith("The loop itself is free")  # new connections are added to it
        assert ("keep connections" in found.advice) is told
        assert ("See the way to the wait above" in found.advice) is told


def test_a_pool_that_makes_its_first_connections_is_no_new_one_for_each_request() -> None:
    one = _slow(1_500 * MS, 1_400 * MS)
    (row,), (upstream,) = one.requests, one.upstreams
    latency = _took(1_400 * MS, 4)
    cold = replace(upstream, theirs_ns=latency, connect_ns=_took(MS, 4))
    first = replace(row, exchanges=4, latency_ns=latency)
    found = findings(replace(one, requests=(first,), upstreams=(cold,)))["IO165"]
    assert "new connection" not in found.title
    assert "connections_made" not in found.evidence
    assert "keep connections" not in found.advice
    few = replace(row, exchanges=2, latency_ns=_took(1_400 * MS, 2))
    for at_once, told in ((2, True), (3, False)):  # a second one each, or the first ones
        anew = replace(cold, in_flight_max=at_once)
        found = findings(replace(one, requests=(few,), upstreams=(anew,)))["IO165"]
        assert ("new connection" in found.title) is told


def test_without_a_way_to_the_wait_the_advice_names_none() -> None:
    one = replace(_slow(1_500 * MS, 1_400 * MS), tasks=None)
    (upstream,) = one.upstreams
    anew = replace(upstream, connect_ns=_took(MS, 12))
    found = findings(replace(one, upstreams=(anew,)))["IO165"]
    assert found.title.endswith(", on a new connection for each request")
    assert "asked_in" not in found.evidence
    assert "the way to the wait" not in found.advice


def test_requests_that_are_quick_or_wait_for_something_else_are_no_matter_of_that_service() -> None:
    assert "IO165" not in findings(_slow(200 * MS, 190 * MS))
    assert "IO165" not in findings(_slow(1_500 * MS, 500 * MS))


def test_a_loop_that_blocks_for_its_service_has_that_finding_alone() -> None:
    one = _slow(1_500 * MS, 1_400 * MS)
    upstream = descriptor(9, local="127.0.0.1:51000", peer=PEER, wait=9 * S, nonblocking=False)
    assert "IO165" not in findings(replace(one, descriptors=(*one.descriptors, upstream)))


def test_tasks_that_connect_hang_but_not_those_that_look_a_name_up() -> None:
    found = findings(with_tasks(wait_of(*_CONNECTS)))["IO165"]
    assert "7 asyncio tasks wait for a connection" in found.title
    assert "IO165" not in findings(with_tasks(wait_of(*_RESOLVES)))


def test_a_task_that_nobody_waits_for_may_wait() -> None:
    assert "IO165" not in findings(with_tasks(wait_of(*ASKS[:5])))


def test_a_peer_that_is_gone_explains_the_tasks_that_wait_for_it() -> None:
    one = with_tasks(wait_of(*_CONNECTS))
    silent = Silent("10.77.4.2:8000", True, 5, 6, 6 * S)
    assert one.sockets is not None
    found = findings(replace(one, sockets=replace(one.sockets, connected=(), silent=(silent,))))
    assert found["IO164"].title == (
        "10.77.4.2:8000 does not answer: 5 connects under way for 6 s or more, the SYN was sent "
        "again 6 times"
    )
    assert [one.id for one in found["IO164"].symptoms] == ["IO165"]


def test_a_client_that_is_gone_holds_up_nobody() -> None:
    silent = Silent("10.0.0.7:40007", False, 1, 9, 60 * S)
    sockets = OpenSockets(2, ("127.0.0.1:8000",), 0, 0, silent=(silent,))
    assert "IO164" not in findings(replace(event_loop(), sockets=sockets))
    ours = replace(sockets, connected=(Connected(silent.peer, 1, 0),))
    assert "IO164" in findings(replace(event_loop(), sockets=ours))


def test_a_program_that_asks_itself_is_told_so() -> None:
    asks = in_call(
        "recvfrom", "tcp", "lib/http/client.py:286 HTTPResponse._read_status", "app.py:17 health",
        "lib/site-packages/starlette/routing.py:76 app", fd=9, peer="127.0.0.1:8000",
    )  # fmt: skip
    one = blocking()
    row = descriptor(9, local="127.0.0.1:51000", peer="127.0.0.1:8000")
    hangs = replace(
        one,
        threads=(replace(one.threads[0], in_call=asks),),
        descriptors=(*one.descriptors, row),
    )
    found = findings(hangs)["IO140"]
    assert "it asks itself, a deadlock" in found.title
    elsewhere = replace(row, peer="10.0.0.9:8000")
    other = replace(asks, peer="10.0.0.9:8000")
    away = replace(
        hangs,
        threads=(replace(one.threads[0], in_call=other),),
        descriptors=(*one.descriptors, elsewhere),
    )
    assert "itself" not in findings(away)["IO140"].title


def test_a_peer_that_reads_at_its_own_pace_is_no_fault() -> None:
    row = replace(
        descriptor(7), unsent_bytes=3_000_000, window_closed_ns=6 * S, window_shut_ns=200 * MS
    )
    assert "IO156" not in findings(replace(event_loop(), descriptors=(row,)))
    shut = replace(row, window_shut_ns=3 * S)
    assert "IO156" in findings(replace(event_loop(), descriptors=(shut,)))


def test_what_is_written_for_a_peer_that_does_not_read_stays_in_memory() -> None:
    unsent = Unsent("10.0.0.7:40007", 3_000_000, 6 * S)
    sockets = OpenSockets(2, ("127.0.0.1:8000",), 0, 0, unsent=(unsent,))
    found = findings(replace(event_loop(), sockets=sockets))["IO156"]
    assert "nobody here waits until it opens" in found.title
    assert found.severity == "medium"
    young = replace(sockets, unsent=(replace(unsent, shut_ns=S),))
    assert "IO156" not in findings(replace(event_loop(), sockets=young))


def test_connections_that_wait_for_a_worker_to_start_are_its_parents_matter() -> None:
    parent, *workers = made_busy.replaced_workers(True)
    late = replace(workers[0], descriptors=(descriptor(7, pickup=(101, S, S, S)),))
    found = findings(parent, late, *workers[1:])
    assert found["IO166"].pid == PID
    assert [one.id for one in found["IO166"].symptoms] == ["IO105"]
    assert found["IO166"].lines[0].startswith("srv/app.py:6 load -> clock_nanosleep: in 3 workers")


def test_the_only_thread_that_sleeps_again_and_again_accepts_nobody() -> None:
    sleeps = in_call(
        "clock_nanosleep", "", "app.py:20 publish",
        "lib/site-packages/eventlet/greenthread.py:265 GreenThread.main", wait=300 * MS,
    )  # fmt: skip
    asleep = call("clock_nanosleep", "", 9, wait=10 * S)
    lines = (line_of(sleeps, 9, 10 * S, S),)
    one = replace(process([replace(thread(sleep=10 * S), in_call=sleeps)], [asleep]), lines=lines)
    found = findings(one, pending=4)
    assert found["IO146"].title.startswith(
        "The thread that accepts connections sleeps: 4 connections wait to be accepted"
    )
    assert "monkey_patch" in found["IO146"].advice
    assert "IO170" not in found
    accepts = replace(one, calls=(*one.calls, call("accept4", "tcp", 3)))
    assert "IO146" not in findings(accepts, pending=4)


def test_a_real_lock_in_a_greenlets_thread_stops_all_greenlets() -> None:
    """Its main thread is in a threading.Thread: patched; gevent's helper thread accepts nobody."""
    waits = in_call(
        "futex", "", "lib/multiprocessing/synchronize.py:261 Condition.wait", "app.py:21 run",
        "lib/threading.py:995 Thread._bootstrap", wait=10 * S,
    )  # fmt: skip
    helper = in_call("futex", "", "lib/site-packages/gevent/_threading.py:36 acquire", wait=S)
    rows = [replace(thread(lock=10 * S), in_call=waits), replace(thread(701), in_call=helper)]
    one = process(rows, [call("futex", "", 1, wait=10 * S)])
    found = findings(one, pending=4)["IO146"]
    assert found.title.startswith("The thread of all greenlets waits for a lock: 4 connections")
    assert "multiprocessing" in found.advice
    plain = replace(waits, stack=waits.stack[:-1])
    rows[0] = replace(rows[0], in_call=plain)
    assert "IO146" not in findings(replace(one, threads=tuple(rows)), pending=4)


def test_a_main_thread_that_was_started_as_one_needs_no_name_of_a_library() -> None:
    """gevent's helper thread may have ended; a child that a thread has forked is known by that."""
    waits = in_call(
        "futex", "", "lib/multiprocessing/synchronize.py:261 Condition.wait", "app.py:21 run",
        "lib/threading.py:995 Thread._bootstrap", wait=10 * S,
    )  # fmt: skip
    fork = in_call("futex", "", "lib/multiprocessing/popen_fork.py:71 Popen._launch").stack
    forked = replace(waits, stack=(*waits.stack[:2], *fork, waits.stack[2]))
    for one, told in ((waits, True), (forked, False)):
        rows = [replace(thread(lock=10 * S), in_call=one), thread(701)]
        lone = process(rows, [call("futex", "", 1, wait=10 * S)])
        assert ("IO146" in findings(lone, pending=4)) is told


def test_a_program_that_sleeps_with_the_gil_outside_of_python_is_the_holder() -> None:
    waits = in_call("futex", "gil", "app.py:13 report", "lib/threading.py:975 Thread.run")
    line = line_of(waits, 600, 4 * S, 40 * MS, tid=701)
    made = process(
        [thread(poll=10 * S), thread(701, gil=4 * S, sleep=6 * S)],
        [
            call("epoll_wait", "", 5, wait=10 * S),
            call("futex", "gil", 600, tid=701, wait=4 * S),
        ],
    )
    wake = Wake("gil", 3, 4 * S, 40 * MS, PID, 0, line.stack, 0, ())
    found = findings(replace(made, lines=(line,), wakes=(wake,)))["IO145"]
    assert "waits in epoll_wait, outside of Python" in found.title
    assert found.evidence["holder"] == f"thread {PID}"
    python = line_of(in_call("epoll_wait", "", "lib/selectors.py:468 select"), 5, 10 * S, 2 * S)
    assert "IO145" not in findings(replace(made, lines=(line, python), wakes=(wake,)))


def test_answers_that_take_longer_than_the_requests_are_for_something_else() -> None:
    """A consumer's next message, in the same loop."""
    assert "IO165" not in findings(_slow(300 * MS, 900 * MS))


def _one_sided(*rows: OneSided, answered: int = 9) -> Process:
    """A server whose clients get answers, and what the kernel tells of other connections."""
    quick = Durations(answered, *(MS,) * 5)
    served = Requests("127.0.0.1:8000", 3, answered, 0, None, quick, None, None, None, None)
    sockets = OpenSockets(9, ("127.0.0.1:8000",), 0, 0, one_sided=rows)
    return replace(event_loop(), sockets=sockets, requests=(served,) if answered else ())


def test_a_peer_that_has_never_answered_is_what_unanswered_requests_wait_for() -> None:
    request = OneSided("127.0.0.1:8000", True, 3, 9 * S, 1)
    peer = OneSided("10.0.0.9:5432", False, 3, 9 * S, 1)
    found = findings(_one_sided(request, peer))["IO165"]
    assert found.title.startswith("Requests hang: 10.0.0.9:5432 does not answer")
    assert found.evidence["requests_without_an_answer"] == 3
    for others in (
        (peer,),  # nobody waits for it
        (request,),
        (request, replace(peer, silent_ns=90 * S)),  # asked long before
        (request, replace(peer, segments=500)),  # it is told something: a log
        (replace(request, silent_ns=S), replace(peer, silent_ns=S)),
    ):
        assert "IO165" not in findings(_one_sided(*others))
    # Nothing tells that clients of this listener are answered, but that each has made one ask.
    for asked in (peer, replace(peer, silent_ns=9 * S - 499 * MS)):
        assert "IO165" in findings(_one_sided(request, asked, answered=0))
    for others in (
        (request, replace(peer, connections=2)),
        (request, replace(peer, silent_ns=9 * S - 501 * MS)),
        (request, replace(peer, silent_ns=9 * S + MS)),  # asked before the request came
        (replace(request, connections=1), replace(peer, connections=1)),
    ):
        assert "IO165" not in findings(_one_sided(*others, answered=0))


_STARTUP = (
    "lib/asyncio/streams.py:522 StreamReader._wait_for_data",
    "app.py:15 connect",
    "lib/site-packages/starlette/routing.py:694 Router.lifespan",
)


def _silent(*places: str, listening: tuple[str, ...] = (), longest: int = 9 * S) -> Process:
    """A program whose only peer was asked and is mute, with a task that waits so."""
    peer = OneSided(PEER, False, 1, 9 * S, 1)
    sockets = OpenSockets(3, listening, 0, 0, connected=(Connected(PEER, 1, 0),), one_sided=(peer,))
    one = with_tasks(wait_of(*places, tasks=1, longest=longest))
    return replace(one, sockets=sockets)


def test_a_program_that_does_not_begin_to_serve_waits_for_a_mute_peer() -> None:
    told = (Signal(PID, "SIGINT", 8),)
    found = findings(replace(_silent(*_STARTUP), signals=told))
    assert found["IO165"].title == (
        "The program has not begun to serve: 1 asyncio task waits for an answer of 10.0.0.9:5432 "
        "at srv/app.py:15 connect, which was asked 9 s ago and has never said a word"
    )
    assert [one.id for one in found["IO165"].symptoms] == ["IO208"]
    assert findings(_silent(*_STARTUP[:2]))["IO165"].title.startswith("The program hangs: ")
    for other in (
        _silent(*_STARTUP, listening=("127.0.0.1:8000",)),  # its clients may be silent
        _silent(*_STARTUP, longest=S),
        _silent("lib/asyncio/queues.py:158 get", *_STARTUP[1:]),
    ):
        assert "IO165" not in findings(other)


def test_requests_from_before_the_trace_are_no_all_clear() -> None:
    request = OneSided("127.0.0.1:8000", True, 1, 9 * S, 1)
    (outcome,) = (one.outcome for one in judged(_one_sided(request)).processes)
    assert outcome is not None
    assert outcome.startswith("No rule found a fault, but what 1 client sent before has had no")
    assert "no answer, on one of their connections for 9 s" in outcome


def test_what_was_asked_for_before_the_trace_hangs_however_seldom_tasks_were_looked_at() -> None:
    """One look at the end: for how long they have been there is known of a silent process."""
    asks = wait_of(*ASKS, tasks=4, longest=0)
    one = with_tasks(asks)
    assert one.tasks is not None
    seldom = replace(one, tasks=replace(one.tasks, looks=1, watched_ns=0))
    idle = replace(seldom, calls=(), threads=(thread(poll=10 * S),), loops=())
    found = findings(idle)["IO165"]
    assert "Requests hang: 4 asyncio tasks wait for an answer" in found.title
    assert found.lines[0].startswith("srv/app.py:24 quote: 4 asyncio tasks at the end")
    assert "IO165" not in findings(seldom)  # it sends and reads meanwhile
    assert "IO165" not in findings(
        replace(idle, tasks=replace(idle.tasks, rows=(wait_of(*STREAMS),)))
    )

"""What is said where no rule found anything: no all-clear without knowledge."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.detail import Detail
from iotrace.report.model import OpenSockets, Process
from iotrace.report.requests import Durations, Requests, RequestTier, Upstream
from iotrace.report.stacks import CpuSample
from tests.unit.light import lit
from tests.unit.verdict.hangs import HANDLER
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    in_call,
    judged,
    line,
    line_of,
    listener,
    process,
    stack,
    thread,
)

CLEAR = "Nothing wrong was found."


def _outcomes(*processes: Process) -> list[str]:
    return [one.outcome for one in judged(*processes).processes]


def _place(*processes: Process) -> str:
    """What the finding on the place says: title and lines; "" if there is none."""
    found = [one for one in judged(*processes).findings if one.id == "IO225"]
    assert all(one.severity == "low" for one in found)
    return "; ".join(text for one in found for text in (one.title, *one.lines))


def test_a_server_that_answered_is_called_well() -> None:
    assert _outcomes(event_loop()) == [CLEAR]


def test_where_requests_overlap_nobody_knows_how_long_they_take() -> None:
    row = Requests("127.0.0.1:8000", 2, 500, 0, None, None, None, None, None, None)
    overlapping = replace(row, several_at_once=400)
    (said,) = _outcomes(replace(event_loop(), requests=(overlapping,)))
    assert said.startswith("No rule found a fault. How long its requests take is not known")
    known = replace(row, latency_ns=Durations(90, MS, MS, MS, MS, MS))
    assert _outcomes(replace(event_loop(), requests=(overlapping, known))) == [CLEAR]


def test_a_process_that_served_nobody_is_not() -> None:
    (said,) = _outcomes(process([thread(lock=10 * S)]))
    assert said.startswith("No answer yet: in 10 s no request was seen.")
    assert "all along asleep in locks" in said
    assert "Trace it while it works, for longer" in said


def test_an_idle_server_is_to_be_sent_traffic() -> None:
    idle = process([thread(accept=10 * S)], [call("accept4", "tcp", 0, wait=10 * S)])
    (said,) = _outcomes(idle)
    assert "asleep waiting for connections" in said
    assert "Send it traffic" in said


def test_where_clients_wait_nobody_is_asked_to_send_traffic() -> None:
    """They wait for its answer, or to be accepted: a request that came just now does neither."""
    idle = replace(process([thread(lock=10 * S)]), sockets=listener(3))
    row = Requests("127.0.0.1:8000", 2, 0, 2, 4 * S, None, None, None, None, None)
    owing = replace(idle, sockets=listener(0), requests=(row,))
    for one, waits in (
        (idle, "3 connections to be accepted."),
        (owing, "2 requests without an answer, the oldest for 4 s."),
    ):
        (said,) = _outcomes(one)
        assert said.startswith(f"No rule tells what is wrong, but clients wait: {waits}"), said
        assert "Send it traffic" not in said
    just_now = replace(row, oldest_unanswered_ns=MS)
    (said,) = _outcomes(replace(owing, requests=(just_now,)))
    assert "Send it traffic" in said


def test_one_that_reads_and_never_answers_is_not() -> None:
    deaf = process(
        [thread(user=S, recv=9 * S)], [call("recvfrom", "tcp", 1_009, bytes=9_999, wait=9 * S)]
    )
    (said,) = _outcomes(deaf)
    assert "data was read from sockets, and nothing was sent" in said


def test_one_that_leaves_data_unread_is_not() -> None:
    rows = (replace(descriptor(7), unread_ns=2_003 * MS),)
    (said,) = _outcomes(replace(event_loop(), descriptors=rows))
    assert "data lies unread on 1 connection, on one of them for 2 s" in said


def test_one_that_serves_and_waits_for_no_work_is_not() -> None:
    served = blocking()
    slow = replace(
        served,
        threads=(thread(user=S, other=9 * S),),
        calls=(
            call("sendto", "tcp", 1_009),
            call("recvfrom", "tcp", 1_009),
            call("ioctl", "tty", 31, wait=9 * S),
        ),
    )
    (said,) = _outcomes(slow)
    assert said == (
        "No rule tells what is wrong, but thread 700 of python3, which serves, was 90 % of its "
        "time asleep in other calls, longest in ioctl."
    )


def test_what_hardly_computes_does_not_wait_for_that() -> None:
    served = blocking()
    at = CpuSample(PID, 100, 2 * S, 0, 0, 0, 0, stack("work.py:12 refresh"))
    for computes, told in ((S, True), (S // 10, False)):
        slow = replace(
            served,
            threads=(thread(user=computes, child=10 * S - computes),),
            calls=(
                call("sendto", "tcp", 1_009),
                call("recvfrom", "tcp", 1_009),
                call("wait4", "", 31, wait=10 * S - computes),
            ),
            cpu_samples=(at,),
        )
        (said,) = _outcomes(slow)
        assert "asleep waiting for child processes, longest in wait4." in said
        assert ("Where it computes most" in said) is told
        assert not _place(slow)


def test_a_script_that_reads_pipes_and_sleeps_serves_nobody() -> None:
    script = process(
        [thread(user=S, recv=6 * S, sleep=3 * S)],
        [call("read", "pipe", 29, wait=6 * S), call("clock_nanosleep", "", 1, wait=3 * S)],
    )
    (said,) = _outcomes(script)
    assert said.startswith("No answer yet: in 10 s no request was seen.")
    assert "serves" not in said


def test_a_client_has_no_requests_to_be_judged_by() -> None:
    client = replace(event_loop(), sockets=OpenSockets(3, (), 0, 0))
    (said,) = _outcomes(client)
    assert said.startswith("No rule found a fault. It serves nobody itself")
    assert _outcomes(replace(client, sockets=listener())) == [CLEAR]


def test_a_client_that_always_asks_is_told_whom() -> None:
    def client(count: int, at_once: int = 1) -> Process:
        times = Durations(count, S, S, S, S, S)
        row = Upstream("10.0.0.9:80", "tcp", count, at_once, 0, None, times, None, None, 0, {})
        return replace(event_loop(), sockets=OpenSockets(3, (), 0, 0), upstreams=(row,))

    (said,) = _outcomes(client(9))
    assert "For 90 % of the time it waited for answers of 10.0.0.9:80, one call at a time" in said
    assert "10.0.0.9" not in _outcomes(client(6))[0]
    assert "10.0.0.9" not in _outcomes(client(9, at_once=4))[0]
    assert "4 calls at a time at most" in _outcomes(client(36, at_once=4))[0]


def test_nothing_is_said_beside_a_finding_of_a_relative() -> None:
    sick = process(
        [replace(thread(user=S, runq=8 * S, poll=S), tid=PID + 1)],
    )
    sick = replace(sick, pid=PID + 1, parent=PID)
    well = replace(event_loop(), parent=1)
    report = judged(well, sick)
    assert report.findings, "the twin of this test: a process without a CPU"
    assert [one.outcome for one in report.processes] == ["", ""]


def test_the_eldest_speaks_for_its_workers() -> None:
    master = process([thread(poll=10 * S)])
    worker = replace(event_loop(), pid=PID + 1, parent=PID)
    assert _outcomes(worker, master) == ["", CLEAR]


def test_strangers_are_told_of_each() -> None:
    other = replace(blocking(), pid=PID + 1, parent=1)
    assert _outcomes(event_loop(), other) == [CLEAR, CLEAR]


def test_light_detail_says_how_far_it_sees() -> None:
    report = judged(lit(event_loop()), detail=Detail.LIGHT)
    (one,) = report.processes
    assert one.outcome == "Nothing wrong was found by what light detail knows."
    idle = process([thread(accept=10 * S)], [call("accept4", "tcp", 0, wait=10 * S)])
    (one,) = judged(lit(idle), detail=Detail.LIGHT).processes
    assert one.outcome.startswith("No answer yet: in 10 s no request was seen.")


def _served(typical: int, service: dict[str, int]) -> Process:
    """24 requests that took about as long each, with these parts in the hands of the server."""
    times = Durations(24, typical, typical, typical, typical, typical)
    tier = RequestTier(0, 2 * S, 24, 24 * typical, 0, {}, service)
    row = Requests("127.0.0.1:8000", 24, 24, 0, None, times, None, None, times, None, tiers=(tier,))
    return replace(event_loop(), requests=(row,))


def test_slow_requests_are_no_all_clear() -> None:
    """Nothing tells why, but half of them take over a second, most of it in locks."""

    def in_locks(typical: int) -> Process:
        return _served(typical, {"lock": 20 * typical, "poll": 4 * typical})

    (said,) = _outcomes(in_locks(1_240 * MS))
    assert said == (
        "No rule tells what is wrong, but half of the requests on 127.0.0.1:8000 take 1.24 s or "
        "longer: 83.3 % of it asleep in locks."
    )
    assert _outcomes(in_locks(40 * MS)) == [CLEAR]


def test_where_lines_are_known_they_are_what_to_look_at_next() -> None:
    one = _served(1_240 * MS, {"lock": 20 * S})
    at_lock = replace(one, lines=(line("futex", "", -1, 5, total=S),))
    assert _outcomes(at_lock) == [""]
    assert _place(at_lock) == (
        "Where the time goes (nothing is proven wrong): half of the requests on 127.0.0.1:8000 "
        "take 1.24 s or longer: 100 % of it asleep in locks; "
        "server.py:8 fetch -> futex: 5 times, 1 s, 1 s at most"
    )
    for news in ("queue.py:171 Queue.get", "threading.py:327 Condition.wait"):
        waits = in_call("futex", "", f"lib/{news}", "app.py:9 index", *HANDLER)
        assert not _place(replace(one, lines=(line_of(waits, 5, S, S),)))
    sent = in_call("recvfrom", "tcp", "app.py:9 upload", *HANDLER, fd=7)
    upload = replace(one, lines=(line_of(sent, 5, S, S),), descriptors=(descriptor(7),))
    assert not _place(upload), "what a client has not sent yet, it waits for itself"
    spread = tuple(line("futex", "", -1, 5, total=S, functions=(name,)) for name in "abc")
    (said,) = _outcomes(replace(one, lines=spread))
    assert said.endswith("The Python lines below say where its threads wait.")
    (said,) = _outcomes(one)
    assert "lines below" not in said


def test_greenlets_that_wait_have_no_line_and_that_is_said() -> None:
    hub = ("lib/site-packages/gevent/hub.py:647 Hub.run",)
    one = _served(1_240 * MS, {"poll": 24 * 1_240 * MS})
    one = replace(one, lines=(line_of(in_call("epoll_wait", "", *hub), 24, 9 * S, S),))
    (said,) = _outcomes(one)
    assert "Its greenlets wait meanwhile, mostly not for a service that they call" in said
    assert said.endswith(
        "gevent.util.print_run_info(), called in the process, prints where each waits."
    )
    assert "lines below" not in said


def test_a_few_late_requests_are_no_all_clear() -> None:
    """Two of a hundred take half a second; one, or where all take nearly as long, says nothing."""

    def with_late(count: int, typical: int) -> Process:
        late = 500 * MS * count
        times = Durations(100, typical, typical, 500 * MS, 500 * MS, 500 * MS)
        quick = RequestTier(0, 200 * MS, 100 - count, (100 - count) * typical, 0, {}, {})
        tail = RequestTier(200 * MS, S, count, late, late // 10, {}, {"lock": 9 * late // 10})
        row = Requests(
            *("127.0.0.1:8000", 100, 100, 0, None, times, None, None, times, None),
            tiers=(quick, tail),
        )
        return replace(event_loop(), requests=(row,))

    assert _outcomes(with_late(2, 2 * MS)) == [
        "No rule tells what is wrong, but 2 of 100 requests on 127.0.0.1:8000 took 500 ms on "
        "average, half of all 2 ms or less: 90 % of it asleep in locks."
    ]
    assert _outcomes(with_late(1, 2 * MS)) == [CLEAR]
    assert _outcomes(with_late(2, 60 * MS)) == [CLEAR]


def test_requests_of_300_ms_are_no_all_clear() -> None:
    (said,) = _outcomes(_served(300 * MS, {"lock": 7 * S}))
    assert said.startswith("No rule tells what is wrong, but half of the requests on ")
    assert "take 300 ms or longer: 100 % of it asleep in locks." in said
    assert _outcomes(_served(90 * MS, {"lock": 2 * S})) == [CLEAR]


def test_in_sockets_detail_a_part_on_a_cpu_is_told_in_words() -> None:
    slow = _served(S, {"user": 20 * S, "kernel": S, "poll": 3 * S})
    report = judged(lit(slow, Detail.SOCKETS), detail=Detail.SOCKETS)
    (one,) = report.processes
    assert one.outcome.endswith("take 1 s or longer: 87.5 % of it on a CPU.")


def test_threads_that_a_library_has_called_and_that_wait_in_it_are_told() -> None:
    def server(*places: str) -> Process:
        waits = in_call("futex", "", "lib/python3.11/threading.py:324 Condition.wait", *places)
        rows = [replace(thread(700 + one, lock=10 * S), in_call=waits) for one in range(3)]
        return replace(process(rows), sockets=listener())

    rpyc = "lib/site-packages/rpyc/core/protocol.py"
    handler = (f"{rpyc}:452 Connection.serve", "server.py:15 names", f"{rpyc}:863 _handle_call")
    assert _outcomes(server(*handler)) == [""]
    said = _place(server(*handler))
    assert "3 threads were at server.py:15 names all along, which rpyc has called" in said
    assert "server.py:15 names -> futex: 3 threads, not returned for 10 s" in said
    for idle in (("server.py:15 work", "lib/python3.11/threading.py:9 run"), handler[:2]):
        assert "has called" not in _outcomes(server(*idle))[0]


def test_requests_that_people_notice_are_told_where_all_of_that_is_in_locks() -> None:
    waits = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait",
        "lib/site-packages/grpc/_channel.py:2219 Channel.__exit__", "app.py:13 update",
        "lib/site-packages/flask/app.py:902 Flask.dispatch_request",
    )  # fmt: skip
    for typical, in_locks, told in ((206, 200, True), (206, 150, False), (80, 79, False)):
        one = _served(typical * MS, {"lock": 24 * in_locks * MS})
        asks = replace(one, lines=(line_of(waits, 20, S, 200 * MS),))
        said = _place(asks)
        assert ("half of the requests on 127.0.0.1:8000 take 206 ms or longer" in said) is told
        assert ("srv/app.py:13 update -> futex: 20 times" in said) is told, said
        assert _outcomes(asks) == ["" if told else CLEAR]


def test_of_requests_that_wait_for_a_lock_it_is_told_what_computes_meanwhile() -> None:
    """A with statement takes it: no library's function is called."""
    waits = in_call(
        "futex", "", "work.py:25 orders", "app.py:9 index",
        "lib/site-packages/flask/app.py:902 Flask.dispatch_request",
    )  # fmt: skip
    one = _served(231 * MS, {"lock": 24 * 220 * MS})
    one = replace(one, threads=(thread(user=2 * S, lock=8 * S),))
    at = CpuSample(PID, 100, 2 * S, 0, 0, 0, 0, stack("work.py:12 refresh"))
    said = _place(replace(one, lines=(line_of(waits, 9, S, 181 * MS),), cpu_samples=(at,)))
    assert said.endswith(
        "; work.py:25 orders -> futex: 9 times, 1 s, 181 ms at most"
        "; work.py:12 refresh: 100 % of its CPU time, about 2 s"
    )


def test_a_program_that_only_asks_itself_serves_nobody() -> None:
    """Its main thread waits again and again for a library's thread."""
    waits = in_call("futex", "", "export.py:9 main")
    asks = descriptor(9, local="127.0.0.1:51000", peer="127.0.0.1:8000")
    own = Upstream("127.0.0.1:8000", "tcp", 24, 1, 0, None, None, None, None, 0, {})
    one = _served(MS, {"poll": MS})
    one = replace(
        one,
        threads=(thread(lock=10 * S),),
        lines=(line_of(waits, 900, 8 * S, 9 * MS),),
        descriptors=(*one.descriptors, asks),
        upstreams=(own,),
        sockets=listener(0),
    )
    (said,) = _outcomes(one)
    assert said.startswith("No rule found a fault. It serves nobody itself")
    assert said.endswith("nearly always at export.py:9 main in futex.")
    (line,) = one.lines
    (said,) = _outcomes(replace(one, lines=(replace(line, wait_ns=4 * S),)))
    assert "nearly always" not in said  # of most of it nothing is known
    other = replace(own, peer="10.0.0.9:5432")
    assert _outcomes(replace(one, upstreams=(other,)))[0] != said

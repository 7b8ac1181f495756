"""Loops that block in calls to others: what they are, which call, on what."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OpenSockets, Process, StallCall, Stalls
from iotrace.report.times import Phase
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.verdict import hangs
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    event_loop,
    findings,
    in_call,
    judged,
    line,
    listener,
    loop,
    process,
    thread,
)
from tests.unit.verdict.made_tasks import POOLED, SLEEPS, wait_of, with_tasks


def _upstream(fd: int, wait: int) -> object:
    return descriptor(
        fd, local=f"10.0.0.7:{51_000 + fd}", peer="10.0.0.9:80", nonblocking=False, wait=wait
    )


def _blocked(served_ns: int = 0) -> Process:
    """Three seconds in reads, all but so much of them upstream; a second in the multiplexer."""
    reads = replace(
        call("recvfrom", "tcp", 2_249, wait=3 * S, longest=300 * MS), waits_ns=Phase(219, MS, MS)
    )
    rows = (
        descriptor(5, wait=served_ns, nonblocking=served_ns == 0),
        _upstream(7, 2 * S),
        _upstream(20, S - served_ns),
    )
    stalls = Stalls(
        3, S, 0, 0, dict.fromkeys(WAIT_REASONS, 0), StallCall("recvfrom", "tcp", 20, 300 * MS)
    )
    one = event_loop()
    return replace(
        one,
        threads=(thread(user=6 * S, poll=S, recv=3 * S),),
        calls=(reads, *one.calls[1:2], call("epoll_wait", "", 1_009, wait=S)),
        loops=(loop(wait=S, stalls=stalls),),
        descriptors=rows,
        sockets=listener(),
    )


def _model(one: Process) -> tuple[str, float]:
    model = judged(one).processes[0].model
    assert model is not None
    return model.id, model.confidence


def test_calls_to_others_do_not_tell_how_a_loop_serves() -> None:
    assert _model(_blocked()) == ("epoll", 0.996)
    model = judged(_blocked()).processes[0].model
    assert model is not None
    assert "none of it on connections that it serves" in " ".join(model.evidence)


def test_reads_that_block_on_what_it_serves_do() -> None:
    model, sure = _model(_blocked(served_ns=MS))
    assert (model, sure < 0.3) == ("unknown", True)


def test_the_descriptor_that_cost_most_is_named_not_the_longest_call() -> None:
    assert findings(_blocked())["IO104"].fd == 7


def test_of_descriptors_that_others_wait_on_too_the_lines_and_stalls_tell() -> None:
    one = _blocked()
    other = replace(
        one,
        threads=(*one.threads, thread(PID + 1, recv=10 * S)),
        calls=(*one.calls, call("recvfrom", "tcp", 9, tid=PID + 1, wait=9 * S)),
        descriptors=(*one.descriptors, _upstream(8, 9 * S)),
    )
    assert findings(other)["IO104"].fd == 20
    lines = (line("recvfrom", "tcp", 7, 9, total=2 * S), line("recvfrom", "tcp", 20, 9, total=S))
    assert findings(replace(other, lines=lines))["IO104"].fd == 7


def test_calls_that_did_not_sleep_are_not_counted() -> None:
    evidence = findings(_blocked())["IO104"].evidence
    assert evidence["blocking_calls"] == 219
    assert "calls" not in evidence


def test_a_line_of_a_call_under_way_says_that_others_are_not_in_it() -> None:
    under_way = line("recvfrom", "tcp", 7, 0, in_flight=1, total=276 * MS)
    (told,) = findings(replace(_blocked(), lines=(under_way,)))["IO104"].lines
    assert told.endswith(": only the call under way at the end, for 276 ms so far")
    returned = line("recvfrom", "tcp", 7, 1, total=276 * MS)
    (told,) = findings(replace(_blocked(), lines=(returned,)))["IO104"].lines
    assert told.endswith(": once, 276 ms")
    both = replace(under_way, in_flight=2)
    (told,) = findings(replace(_blocked(), lines=(both,)))["IO104"].lines
    assert told.endswith(": only the 2 calls under way at the end, 276 ms so far, 276 ms at most")


def test_a_consumer_with_one_connection_keeps_nobody_else_waiting() -> None:
    """It sleeps for 20 ms in each callback; no heartbeat is late by that. A second connection has
    to wait, and heartbeats mind seconds."""
    broker = descriptor(7, local="10.0.0.7:51007", peer="10.0.0.9:5672")
    other = descriptor(8, local="10.0.0.7:51008", peer="10.0.0.9:6379")
    for rows, busy, severity in (
        ((broker,), 20 * MS, "low"),
        ((broker, other), 20 * MS, "high"),
        ((broker,), 3 * S, "high"),
    ):
        consumer = replace(
            event_loop(busy=busy),
            threads=(thread(user=S, poll=6 * S, sleep=3 * S),),
            descriptors=rows,
            sockets=OpenSockets(2, (), 0, 0),
        )
        sleeps = call("clock_nanosleep", "", 150, wait=3 * S)
        one = replace(consumer, calls=(*consumer.calls, sleeps))
        assert findings(one)["IO104"].severity == severity, (rows, busy)


def test_a_poll_that_was_under_way_at_the_beginning_is_no_loop() -> None:
    """Of how many descriptors it was nobody knows; polls with the same call block the loop."""
    first = loop("poll", 1, nfds=0, watched=None, wait=900 * MS)
    polls = call("poll", "", 7, wait=6 * S)
    for beside, told in (((), True), ((first,), True), ((replace(first, iterations=99),), False)):
        one = event_loop()
        seen = replace(
            one,
            threads=(thread(user=S, poll=9 * S),),
            calls=(*one.calls, polls),
            loops=(*one.loops, *beside),
        )
        assert ("IO104" in findings(seen)) is told, beside


def test_the_timers_of_an_event_loop_are_no_polls_that_ran_out() -> None:
    (one,) = hangs.waited_out(True)
    assert "IO191" in findings(one)
    (ran_out,) = one.loops
    timers = replace(ran_out, multiplexer="epoll_wait")
    answered = replace(ran_out, timeouts=0)
    assert "IO191" not in findings(replace(one, loops=(timers, answered)))


def test_a_server_that_waits_for_its_clients_next_message_until_it_sends_waits_for_nothing() -> (
    None
):
    (one,) = hangs.waited_out(True)
    lines = tuple(replace(row, fd=7) for row in one.lines)
    asked = descriptor(7, local="10.0.0.2:50001", peer="10.0.0.9:80")
    for row, told in ((descriptor(7), False), (descriptor(7, opened=9), True), (asked, True)):
        assert ("IO191" in findings(replace(one, lines=lines, descriptors=(row,)))) is told


FORKED = (
    "lib/multiprocessing/popen_fork.py:71 Popen._launch",
    "lib/concurrent/futures/process.py:725 ProcessPoolExecutor.submit",
    "server.py:17 start",
    "lib/asyncio/events.py:80 Handle._run",
    "lib/asyncio/base_events.py:1922 BaseEventLoop._run_once",
)


def _pool_worker(*called: str) -> Process:
    """In a sleep that it was given; in its memory are the tasks of whoever forked it."""
    own = (*called, "lib/concurrent/futures/process.py:240 _process_worker")
    sleeps = hangs.in_call("clock_nanosleep", "", *own, *FORKED)
    tasks = with_tasks(wait_of(*POOLED), wait_of(*SLEEPS)).tasks
    return replace(process([hangs.waiting(PID, sleeps, sleep=10 * S)]), tasks=tasks)


def test_what_a_loop_has_forked_is_not_in_that_loop() -> None:
    """Nor has it that loop's tasks, unless it runs a loop of its own."""
    assert not findings(_pool_worker("server.py:13 report"))
    found = findings(_pool_worker("server.py:13 report", *FORKED[-2:]))
    assert {"IO104", "IO160"} <= set(found)


def test_a_loop_that_writes_to_a_full_pipe_names_it_and_who_reads() -> None:
    writes = call("write", "pipe", 25, wait=3 * S, longest=400 * MS)
    pipe = descriptor(2, kind="pipe", local="pipe:[81]", peer="", nonblocking=False, wait=3 * S)
    one = _blocked()
    at_it = replace(in_call("write", "pipe", "app.py:9 log", fd=2, wait=S), read_by=("902 less",))
    row = replace(thread(user=6 * S, poll=S, send=3 * S), in_call=at_it)
    full = replace(
        one,
        threads=(row,),
        calls=(writes, *one.calls[1:]),
        descriptors=(pipe, *one.descriptors[1:]),
    )
    found = findings(full)["IO104"]
    assert found.title.endswith(
        "it writes to stderr (pipe:[81]), which is full, and waits for process 902 (less), "
        "its reader"
    )
    assert found.evidence["reader"] == "process 902 (less)"

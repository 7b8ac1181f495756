"""Requests are cut out of a timeline from answer to answer."""

from __future__ import annotations

from iotrace.demo.diagram import draw
from iotrace.demo.request import excerpt, requests, typical
from iotrace.snapshot.timeline import Event
from iotrace.vocabulary.events import EventKind
from iotrace.vocabulary.operations import OPCODE_RECV, OPCODE_SEND
from tests.unit.demo.events import (
    CONNECTION,
    INODE,
    LISTENER,
    PID,
    TID,
    Script,
    blocking_read,
    blocking_requests,
    polling_request,
)


def test_each_answer_ends_a_request_and_begins_the_next() -> None:
    found = requests(blocking_requests(3).events, {})
    assert len(found) == 3
    assert found[0].from_ns == 10  # the accept
    assert [r.from_ns for r in found[1:]] == [r.to_ns for r in found[:-1]]
    assert {r.fd for r in found} == {CONNECTION}


def test_the_moment_of_arrival_and_the_start_of_the_copy() -> None:
    (request,) = requests(blocking_requests(1).events, {})
    assert request.ready_ns == 10 + 1_000 + 5 + 20_000_000
    assert request.copied_ns == request.ready_ns + 3 + 30_000 + 4
    assert request.latency_ns == request.to_ns - request.ready_ns


def test_data_for_another_socket_is_not_taken_for_its_own() -> None:
    script = blocking_requests(1)
    arrival = next(event for event in script.events if event.kind is EventKind.READY)
    other = Script(arrival.at_ns + 2).ready(INODE + 1).events
    events = sorted([*script.events, *other], key=lambda event: event.at_ns)
    (known,) = requests(events, {CONNECTION: INODE})
    assert known.ready_ns == arrival.at_ns
    (unknown,) = requests(events, {})
    assert unknown.ready_ns == arrival.at_ns + 2


def test_the_typical_request_has_the_median_latency_and_is_not_the_first() -> None:
    found = requests(blocking_requests(4).events, {})
    assert typical(found) is found[2]
    assert typical(found[:1]) is found[0]
    assert typical(()) is None


def test_a_message_in_several_reads_and_writes_is_one_request() -> None:
    script = Script().call("accept4", LISTENER, CONNECTION, 10)
    for _ in range(2):
        for octets in (1_000, 500):
            blocking_read(script.after(100), wait_ns=50, octets=octets)
        for octets in (900, 600):
            script.after(100).call("sendto", CONNECTION, octets, 40)
    found = requests(script.events, {})
    assert len(found) == 2
    assert found[1].to_ns == script.at_ns


def test_polls_that_find_nothing_are_part_of_the_request() -> None:
    first, second = requests(polling_request(11).events, {})
    assert second.from_ns == first.to_ns
    assert second.ready_ns is not None
    assert second.copied_ns - second.ready_ns == 7 + 5


def test_a_child_that_was_made_for_a_connection_begins_with_its_accept() -> None:
    parent = Script(pid=PID, tid=PID).call("accept4", LISTENER, CONNECTION, 10)
    child = Script(at_ns=500, pid=PID + 1, tid=PID + 1).add(EventKind.RUN).after(5)
    blocking_read(child, wait_ns=50).after(9).call("sendto", CONNECTION, 84, 3)
    second = Script(at_ns=child.at_ns + 10, pid=PID, tid=PID)
    second.call("accept4", LISTENER, CONNECTION, 10)
    (request,) = requests([*parent.events, *child.events, *second.events], {})
    assert request.accepted_by == PID
    assert request.from_ns == 10
    assert request.timeline.pid == PID + 1


def uring_events(number: int) -> Script:
    script = Script()
    script.add(EventKind.ENTER, "io_uring_enter")
    script.after(1).add(EventKind.SUBMIT, "io_uring_enter", value=OPCODE_RECV)
    for _ in range(number):
        script.after(4).sleep("io_uring_enter", -1, wait_ns=1_000, runq_ns=20, inode=INODE)
        script.after(3).add(EventKind.COPY, "io_uring_enter")
        script.after(2).add(EventKind.COMPLETE, value=84, tid=0)
        script.after(1).add(EventKind.EXIT, "io_uring_enter", value=1)
        script.after(50).add(EventKind.ENTER, "io_uring_enter")
        script.after(1).add(EventKind.SUBMIT, "io_uring_enter", value=OPCODE_SEND)
        script.after(1).add(EventKind.SUBMIT, "io_uring_enter", value=OPCODE_RECV)
    return script.after(6).add(EventKind.SLEEP, "io_uring_enter")


def test_operations_make_a_request_from_one_receive_to_the_next() -> None:
    found = requests(uring_events(3).events, {})
    assert len(found) == 3
    request = found[1]
    assert request.fd == -1
    assert request.ready_ns is not None
    assert request.copied_ns - request.ready_ns == 3 + 20 + 3
    assert [mark.kind for mark in request.marks].count(EventKind.COMPLETE) == 1
    assert request.to_ns > found[2].from_ns  # the call that answers one begins the next


def test_where_nothing_is_answered_the_busiest_thread_is_shown() -> None:
    busy, idle = Script(tid=TID), Script(tid=TID + 1)
    for _ in range(13):
        busy.after(10).call("epoll_wait", -1, 1, 5)
    idle.call("accept4", LISTENER, -11, 5)
    events = [*busy.events, *idle.events]
    assert requests(events, {}) == ()
    shown = excerpt(events)
    assert shown is not None
    assert (shown.timeline.tid, shown.answered) == (TID, False)
    assert excerpt(()) is None


def test_a_read_that_fills_its_buffer_may_leave_data_behind() -> None:
    script = Script().call("accept4", LISTENER, CONNECTION, 10)
    for asked in (1_000, 84, 1_000):
        script.add(EventKind.ENTER, "recvfrom", CONNECTION, asked).after(50)
        script.add(EventKind.EXIT, "recvfrom", CONNECTION, 84).after(10)
        script.call("sendto", CONNECTION, 84, 40)
    assert [r.left_behind for r in requests(script.events, {})] == [False, False, True]


def _with_exchange(fd: int = CONNECTION, *, queue_ns: int = 0) -> list[Event]:
    """A blocking request with the events of its exchange, which arrived 40 us before its read."""
    script = blocking_requests(1)
    read, wrote = (e for e in script.events if e.kind is EventKind.EXIT and e.fd == CONNECTION)
    at, pid = read.at_ns, PID
    parts = [
        Event(at - 40_000, pid, TID, EventKind.EXCHANGE_QUEUED, "", -1, queue_ns),
        Event(at, pid, TID, EventKind.EXCHANGE_READ, "", fd, 40_000),
        Event(wrote.at_ns, pid, TID, EventKind.EXCHANGE_ANSWERED, "", fd, 10_000),
    ]
    kept = parts if queue_ns else parts[1:]
    return sorted([*script.events, *kept], key=lambda event: event.at_ns)


def test_a_request_has_the_parts_that_the_ledger_has() -> None:
    (request,) = requests(_with_exchange(queue_ns=7_000), {})
    one = request.exchange
    assert one is not None
    assert (one.queue_ns, one.pickup_ns, one.service_ns) == (7_000, 40_000, 10_000)
    assert one.latency_ns == 57_000
    assert request.ready_ns == one.arrived_ns
    assert "Requests: 57.0 us = queue 7.00 us + pickup 40.0 us + service 10.0 us." in " ".join(
        draw(request)
    )


def test_an_exchange_on_another_connection_is_not_its_own() -> None:
    (request,) = requests(_with_exchange(CONNECTION + 1), {})
    assert request.exchange is None
    assert request.ready_ns == 10 + 1_000 + 5 + 20_000_000
    assert "In the table Requests" not in " ".join(draw(request))

"""Events become calls and segments without gaps."""

from __future__ import annotations

from iotrace.demo.thread_timeline import Activity, ThreadTimeline, thread_timelines
from iotrace.vocabulary.events import EventKind
from tests.unit.demo.events import CONNECTION, TID, Script, blocking_read


def only(script: Script) -> ThreadTimeline:
    (timeline,) = thread_timelines(script.events).values()
    return timeline


def doings(timeline: ThreadTimeline) -> list[tuple[str, int]]:
    return [(segment.activity.value, segment.length_ns) for segment in timeline.segments]


def test_a_blocking_read_is_kernel_wait_run_queue_kernel_copy() -> None:
    timeline = only(blocking_read(Script(), wait_ns=20_000))
    assert doings(timeline) == [
        ("kernel", 5),
        ("wait", 20_003),
        ("runq", 30_000),
        ("kernel", 4),
        ("copy", 2),
    ]
    (call,) = timeline.calls
    assert (call.syscall, call.fd, call.result) == ("recvfrom", CONNECTION, 84)
    assert (call.enter_ns, call.exit_ns) == (0, 50_014)
    assert all(segment.call is call for segment in timeline.segments)


def test_stretches_follow_each_other_without_a_gap() -> None:
    script = blocking_read(Script()).after(1_000).call("sendto", CONNECTION, 84, 10)
    segments = only(script).segments
    assert [s.to_ns for s in segments[:-1]] == [s.from_ns for s in segments[1:]]
    assert segments[-2].activity is Activity.PROGRAM
    assert segments[-2].call is None


def test_a_thread_that_is_preempted_goes_on_where_it_was() -> None:
    script = Script().add(EventKind.ENTER, "recvfrom", CONNECTION).after(1)
    script.add(EventKind.COPY, "recvfrom", CONNECTION).after(2)
    script.add(EventKind.PREEMPT, "recvfrom", CONNECTION).after(3)
    script.add(EventKind.RUN, "recvfrom", CONNECTION).after(4)
    script.add(EventKind.EXIT, "recvfrom", CONNECTION, 84)
    assert doings(only(script)) == [("kernel", 1), ("copy", 2), ("runq", 3), ("copy", 4)]


def test_a_call_that_began_before_the_events_is_known_by_its_end() -> None:
    script = Script().add(EventKind.WAKE, "accept4", 3).after(7).add(EventKind.RUN, "accept4", 3)
    script.after(2).add(EventKind.EXIT, "accept4", 3, CONNECTION)
    timeline = only(script)
    assert doings(timeline) == [("runq", 7), ("kernel", 2)]
    assert [(call.syscall, call.result) for call in timeline.calls] == [("accept4", CONNECTION)]


def test_a_call_that_has_not_returned_has_no_result() -> None:
    script = Script().add(EventKind.ENTER, "recvfrom", CONNECTION).after(5)
    script.add(EventKind.SLEEP, "recvfrom", CONNECTION)
    (call,) = only(script).calls
    assert call.result is None


def test_threads_are_told_apart_and_events_of_no_thread_left_out() -> None:
    one = blocking_read(Script(tid=TID))
    other = blocking_read(Script(tid=TID + 1))
    events = sorted([*one.events, *other.events], key=lambda event: event.at_ns)
    assert set(thread_timelines(events)) == {TID, TID + 1}

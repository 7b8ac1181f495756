# SPDX-License-Identifier: Apache-2.0
"""IO222: reads of answers that end by their time-out."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.report.requests import Requests, RequestTier
from iotrace.report.times import Durations
from tests.unit.verdict import made_busy
from tests.unit.verdict.made import MS, S, call, descriptor, findings, in_call, line_of, loop


def _times_out() -> Process:
    (one,) = made_busy.timed_reads(True)
    return one


def _with_calls(written: int, read: int, read_bytes: int = 7_500) -> Process:
    calls = (
        call("write", "tty", written, bytes=6_000),
        call("read", "tty", read, bytes=read_bytes),
    )
    return replace(_times_out(), calls=calls)


def test_each_answer_is_waited_for_to_the_end_of_the_time_out() -> None:
    found = findings(_times_out())["IO222"]
    assert found.severity == "low"  # nobody is known to wait
    assert "an answer from /dev/ttyUSB0 waits until its time-out is over" in found.title
    assert "18 ms each time, 90 % of the time" in found.title
    assert found.lines[0].startswith("control.py:9 position -> pselect6")


def test_messages_that_come_or_do_not_are_none() -> None:
    assert "IO222" in findings(_with_calls(500, 500))
    assert "IO222" not in findings(_with_calls(1_000, 500))  # half of the answers are complete
    assert "IO222" not in findings(_with_calls(500, 200))  # a clock, with some news
    assert "IO222" not in findings(_with_calls(10, 500))  # nothing is asked
    assert "IO222" not in findings(_with_calls(500, 500, 0))  # and nothing comes


def test_rare_and_long_time_outs_are_none() -> None:
    for iterations, over in ((1_500, 20), (24, 8)):
        polls = loop("pselect6", iterations, watched=2, timeouts=over, wait=9 * S)
        few = replace(_with_calls(over, over), loops=(polls,))
        assert "IO222" not in findings(few)


def test_an_event_loop_waits_for_whatever_comes() -> None:
    waits = in_call("pselect6", "", "lib/selectors.py:324 SelectSelector.select", "game.py:9 run")
    one = replace(_times_out(), lines=(line_of(waits, 480, 9 * S, 20 * MS),))
    assert "IO222" not in findings(one)
    polls = loop("pselect6", 1_500, watched=1, timeouts=500, wait=9 * S)
    assert "IO222" in findings(replace(one, loops=(polls,)))  # of one descriptor


def _served(one: Process) -> Process:
    """A thread of it has read 500 requests, which take 19 ms each."""
    times = Durations(500, *(19 * MS,) * 5)
    tier = RequestTier(16 * MS, 32 * MS, 500, 9_500 * MS, 0, {}, {"poll": 9 * S, "user": S // 2})
    row = Requests("127.0.0.1:8000", 3, 500, 0, None, times, None, None, times, times, (tier,))
    (reads,) = one.threads
    return replace(one, threads=(replace(reads, requests=500),), requests=(row,))


def test_requests_that_wait_for_a_device_make_it_grave() -> None:
    served = _served(_times_out())
    found = findings(served)["IO222"]
    assert found.severity == "high"
    assert found.title.endswith("of the requests' time: it asks for more than comes")
    (reads,) = served.threads
    beside = replace(served, threads=(replace(reads, requests=0),))
    assert findings(beside)["IO222"].severity == "low"  # in a thread that no request waits for


def test_the_clock_of_a_server_that_sends_and_hears_from_its_clients_is_not_grave() -> None:
    """State is sent 50 times a second; until the next time, the acknowledgement is read."""
    sends, reads = (call(name, "tcp", 500, bytes=6_000) for name in ("sendto", "recvfrom"))
    polls = loop("poll", 1_500, watched=1, nfds=1, empty=500, timeouts=500, wait=9 * S, data=0)
    told = []
    for fd in (7, None):
        waits = in_call("poll", "", "lib/socket.py:1 recv", "tick.py:18 serve", fd=fd)
        ticks = replace(
            _served(_times_out()),
            calls=(sends, reads),
            loops=(polls,),
            lines=(line_of(waits, 480, 9 * S, 20 * MS),),
            descriptors=(descriptor(7, calls=1_000),),
        )
        told.append(findings(ticks)["IO222"])
    assert [one.severity for one in told] == ["low", "low"]
    assert told[0].title.endswith("it asks for more than comes, or the time-out is its clock")


def test_only_the_kind_that_is_waited_for_is_told() -> None:
    """Requests and answers of the clients are as many."""
    one = _times_out()
    waits = in_call("poll", "", "app.py:9 position", fd=4)
    polls = loop("poll", 1_500, watched=1, nfds=1, empty=500, timeouts=500, wait=9 * S, data=0)
    clients = (call("sendto", "tcp", 500, bytes=6_000), call("recvfrom", "tcp", 500, bytes=6_000))
    both = replace(
        one,
        calls=(*one.calls, *clients),
        loops=(polls,),
        lines=(line_of(waits, 480, 9 * S, 20 * MS),),
        descriptors=(*one.descriptors, descriptor(7, calls=1_000)),
    )
    found = findings(_served(both))["IO222"]
    assert found.severity == "high"
    assert found.fd == 4

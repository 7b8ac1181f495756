# SPDX-License-Identifier: Apache-2.0
"""IO222: reads of answers that end by their time-out."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from tests.unit.verdict import made_busy
from tests.unit.verdict.made import MS, S, call, findings, in_call, line_of, loop


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

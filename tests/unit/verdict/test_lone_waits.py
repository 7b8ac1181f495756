# SPDX-License-Identifier: Apache-2.0
"""The only thread of a process waits for what another thread would have to give."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import OpenSockets, Process, Thread
from iotrace.report.surroundings import Connected
from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, S, findings, in_call, process, thread

_CONDITION = "lib/threading.py:320 Condition.wait"
_GET = (_CONDITION, "lib/queue.py:171 Queue.get", "app.py:39 main")


def _waiting(*places: str, timed: bool | None = False) -> Thread:
    return hangs.waiting(PID, replace(in_call("futex", "", *places, object="a0"), timed=timed))


def _judged(*rows: Thread, children: tuple[Process, ...] = ()) -> dict[str, str]:
    found = findings(process(rows), *children)
    return {name: one.title for name, one in found.items()}


@pytest.mark.parametrize(
    ("places", "what"),
    [
        (_GET, "Queue.get (queue.py)"),
        ((_CONDITION, "lib/threading.py:359 Condition.wait_for", "app.py:39 main"), "wait_for"),
        ((_CONDITION, "lib/threading.py:507 Semaphore.acquire", "app.py:39 main"), "acquire"),
    ],
)
def test_what_no_thread_is_left_to_give(places: tuple[str, ...], what: str) -> None:
    title = _judged(_waiting(*places))["IO140"]
    assert what in title
    assert "no other thread is left in the process that could give it" in title


def test_a_thread_that_has_ended_gives_nothing() -> None:
    ended = replace(thread(701), ended_ns=S)
    assert "IO140" in _judged(_waiting(*_GET), ended)


def test_a_thread_that_is_left_may_give_it() -> None:
    assert "IO140" not in _judged(_waiting(*_GET), hangs.idle(701))


def test_a_wait_that_ends_by_itself_is_no_hang() -> None:
    """And of an older recording it is not known."""
    assert "IO140" not in _judged(_waiting(*_GET, timed=True))
    assert "IO140" not in _judged(_waiting(*_GET, timed=None))


def test_a_program_that_waits_to_be_told_to_end_does_not_hang() -> None:
    """Its signal handler sets the event."""
    event = (_CONDITION, "lib/threading.py:629 Event.wait", "app.py:39 main")
    assert "IO140" not in _judged(_waiting(*event))


def test_the_end_of_a_child_may_put_something_into_a_queue() -> None:
    """A supervisor: its handler of SIGCHLD does."""
    child = process([thread(801, sleep=10 * S)], pid=801, parent=PID)
    assert "IO140" not in _judged(_waiting(*_GET), children=(child,))
    gone = replace(child, ended_ns=S)
    assert "IO140" in _judged(_waiting(*_GET), children=(gone,))


_PUBLISHES = (
    _CONDITION,
    "lib/site-packages/paho/mqtt/client.py:563 MQTTMessageInfo.wait_for_publish",
    "app.py:39 main",
)


def test_what_a_library_waits_for_and_its_unread_answer() -> None:
    """Its own loop, which would read the answer, does not run."""
    assert "wait_for_publish" in _judged(_waiting(*_PUBLISHES))["IO140"]
    unread = OpenSockets(1, (), 0, 1, connected=(Connected("10.0.0.9:1883", 1, 0),))
    one = replace(process((_waiting(*_PUBLISHES),)), sockets=unread)
    found = findings(one)["IO140"]
    assert "what 10.0.0.9:1883 has sent lies unread" in found.title
    assert "loop_start" in found.advice


def test_an_event_that_a_library_waits_for_may_be_set_by_a_handler() -> None:
    event = (_CONDITION, "lib/threading.py:629 Event.wait", *_PUBLISHES[1:])
    assert "IO140" not in _judged(_waiting(*event))

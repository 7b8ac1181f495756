"""A wait for one answer that a library makes of many short polls hangs like one long call."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.report.requests import Upstream
from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, S, findings, in_call, line_of, loop, process

_WIRE = (
    "lib/site-packages/pymongo/socket_checker.py:66 SocketChecker.select",
    "lib/site-packages/pymongo/synchronous/network.py:375 wait_for_read",
)
_COMMAND = ("lib/site-packages/pymongo/synchronous/database.py:930 Database.command",)
_WATCH = ("lib/site-packages/pymongo/synchronous/change_stream.py:330 ChangeStream.next",)


def _polls(asks: tuple[str, ...], *, iterations: int = 20, timeouts: int = 20) -> Process:
    """A thread in the last of so many polls of half a second."""
    call = in_call(
        "poll", "tcp", *_WIRE, *asks, "agent.py:18 check", fd=5, peer="10.0.0.9:27017",
        since=10 * S - 200_000_000, wait=200_000_000,
    )  # fmt: skip
    row = loop("poll", iterations, timeouts=timeouts, watched=1, nfds=1, wait=10 * S)
    return process([hangs.waiting(PID, call, poll=10 * S)], (), [row])


def test_a_command_that_is_polled_for_in_vain_hangs() -> None:
    found = findings(_polls(_COMMAND))["IO140"]
    assert found.severity == "high"
    assert found.evidence["polls_that_timed_out"] == 20
    assert found.evidence["peer"] == "10.0.0.9:27017"
    assert found.evidence["waited_ns"] == 10 * S
    assert "20 polls in a row timed out, for the whole trace" in found.title
    assert found.lines[0].startswith("agent.py:18 check -> poll on 10.0.0.9:27017: 1 thread, there")


def test_where_something_came_or_several_are_watched_nothing_is_told() -> None:
    assert "IO140" not in findings(_polls(_COMMAND, timeouts=19))
    one = _polls(_COMMAND)
    two = replace(one, loops=(replace(one.loops[0], watched=2),))
    assert "IO140" not in findings(two)
    light = replace(one, loops=(replace(one.loops[0], timeouts=None, iterations=None),))
    assert "IO140" not in findings(light)


def test_who_listens_for_changes_waits_for_no_answer() -> None:
    assert "IO140" not in findings(_polls(_WATCH))


def _owes(unanswered: int = 1, *, polled: int = 6 * S, others: int = 0) -> Process:
    """A thread that has had answers before, and looks for one that is owed since six seconds."""
    one = _polls(_COMMAND, timeouts=15)
    call = one.threads[0].in_call
    assert call is not None
    owed = Upstream("10.0.0.9:27017", "tcp", 9, 1, unanswered, 6 * S, None, None, None, 0, {})
    threads = [*one.threads, *(hangs.waiting(701 + n, call, poll=10 * S) for n in range(others))]
    lines = (line_of(call, 12, polled, 500_000_000),)
    return replace(one, threads=tuple(threads), upstreams=(owed,), lines=lines)


def test_the_only_thread_that_waits_for_the_only_answer_hangs_since_it_was_asked_for() -> None:
    found = findings(_owes())["IO140"]
    assert (found.evidence["waited_ns"], found.evidence["polls_that_timed_out"]) == (6 * S, 12)
    assert found.evidence["began"] == "while it was traced"


def test_of_several_answers_or_threads_it_is_not_known_whose_is_late() -> None:
    assert "IO140" not in findings(_owes(0))
    assert "IO140" not in findings(_owes(2))
    assert "IO140" not in findings(_owes(others=1))
    assert "IO140" not in findings(_owes(polled=S))

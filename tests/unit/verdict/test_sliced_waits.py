"""A wait for one answer that a library makes of many short polls hangs like one long call."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, S, findings, in_call, loop, process

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

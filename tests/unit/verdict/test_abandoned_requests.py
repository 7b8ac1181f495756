"""Requests whose clients have gone, and what looks like them."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process, TaskWaits
from iotrace.report.task_waits import TaskWait
from tests.unit.verdict import made_tasks
from tests.unit.verdict.made import S, findings, stack


def _served(*, mean: float = 7.0, looks: int = 12, inner: tuple[str, ...] = ()) -> Process:
    (one,) = made_tasks.abandoned_requests(True)
    frames = stack(*inner, *made_tasks.SERVED)
    row = TaskWait("_asyncio.Future", 7, mean, 0, len(inner) + 1, frames)
    return replace(one, tasks=TaskWaits(looks, 9 * S, 9, (row,)))


def test_tasks_of_clients_that_have_gone() -> None:
    found = findings(_served())["IO219"]
    assert found.severity == "medium"
    assert found.title == (
        "Requests go on for clients that have gone: 7 asyncio tasks serve requests, most of them "
        "at srv/app.py:40 frames, and no connection of a client is open"
    )
    assert "handler_cancellation" in found.advice
    (one,) = made_tasks.abandoned_requests(True)
    assert one.sockets is not None
    two = replace(_served(), sockets=replace(one.sockets, count=8))
    assert "2 connections of clients at most are open" in findings(two)["IO219"].title


def test_tasks_whose_clients_may_be_there() -> None:
    (one,) = made_tasks.abandoned_requests(True)
    assert one.sockets is not None
    background = "lib/site-packages/starlette/background.py:35 BackgroundTask.__call__"
    three_open = replace(_served(), sockets=replace(one.sockets, count=9))
    came_late = _served(mean=1.5)
    for healthy in (
        three_open,
        came_late,
        _served(looks=2),
        _served(inner=("lib/asyncio/tasks.py:639 sleep", "app.py:51 mail", background)),
    ):
        assert "IO219" not in findings(healthy)


def test_requests_that_are_owed_an_answer_have_clients() -> None:
    """Those may have closed their connections at the very end."""
    one = made_tasks.with_slow_requests(slow=40, each=2 * S)  # eight at a time
    served = replace(_served(), requests=one.requests)
    assert "IO219" not in findings(served)
    row = replace(one.requests[0], tiers=(), unanswered=7, oldest_unanswered_ns=2 * S)
    assert "IO219" not in findings(replace(served, requests=(row,)))

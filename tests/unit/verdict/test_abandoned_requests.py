"""Requests whose clients have gone, and what looks like them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import OpenSockets, Process, TaskWaits
from iotrace.report.surroundings import Connected
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


_ENDS = "lib/site-packages/anyio/_backends/_asyncio.py:783 TaskGroup.__aexit__"
_WAITS = ("lib/asyncio/tasks.py:639 sleep", "app.py:51 mail")


def _served_by(*callers: str) -> Process:
    (one,) = made_tasks.abandoned_requests(True)
    server = (
        "lib/site-packages/uvicorn/protocols/http/h11_impl.py:403 RequestResponseCycle.run_asgi"
    )
    row = made_tasks.wait_of(*_WAITS, *callers, server)
    return replace(one, tasks=TaskWaits(12, 9 * S, 9, (row,)))


@pytest.mark.parametrize(
    ("callers", "told"),
    [
        ((), True),
        (("lib/site-packages/litestar/background_tasks.py:50 BackgroundTask.__call__",), False),
        ((_ENDS, "lib/site-packages/starlette/middleware/base.py:187 Base.__call__"), False),
        ((_ENDS, "lib/site-packages/starlette/responses.py:262 Streaming.__call__"), True),
        ((_ENDS, "app.py:60 both"), True),
    ],
)
def test_what_is_done_after_the_answer(callers: tuple[str, ...], told: bool) -> None:
    """A task group of the handler's own, or of a streamed answer, ends before the answer does."""
    assert ("IO219" in findings(_served_by(*callers))) is told


def test_a_server_that_shuts_down_has_clients_that_nothing_tells_from_others() -> None:
    clients = tuple(Connected(f"10.1.1.{one}:50000", 1, 0) for one in range(7))
    assert "IO219" not in findings(
        replace(_served(), sockets=OpenSockets(8, (), 0, 0, connected=clients))
    )
    assert "after the answer" in findings(_served())["IO219"].advice


def test_the_place_of_a_few_of_them_is_not_said_to_be_that_of_most() -> None:
    (one,) = made_tasks.abandoned_requests(True)
    served = made_tasks.SERVED[2:]
    rows = tuple(
        TaskWait("_asyncio.Future", count, count, 0, 0, stack(f"app.py:{line} work", *served))
        for count, line in ((4, 41), (3, 51), (3, 61))
    )
    found = findings(replace(one, tasks=TaskWaits(12, 9 * S, 9, rows)))["IO219"]
    assert "10 asyncio tasks serve requests, among others at srv/app.py:41 work" in found.title

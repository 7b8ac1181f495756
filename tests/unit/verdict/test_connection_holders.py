"""IO160: whether nothing moves, and who has the connections that others wait for."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process, TaskWaits
from iotrace.report.task_waits import TaskWait
from tests.unit.verdict.made import S, findings
from tests.unit.verdict.made_tasks import POOLED, SLEEPS, wait_of, with_tasks

_SLEEP = "lib/asyncio/tasks.py:639 sleep"
_BACKEND = "lib/site-packages/cached/backend.py"
_WAITS = (*POOLED[:-1], f"{_BACKEND}:105 Redis.set_lock", "app.py:30 price", "app.py:40 batch")
_HOLDS = (_SLEEP, f"{_BACKEND}:120 Redis.is_locked", "app.py:30 price", "app.py:40 batch")
"""Five connections: made_tasks.with_tasks."""


def _serving_nobody(*rows: TaskWait) -> Process:
    made = with_tasks(*rows)
    assert made.sockets is not None
    return replace(made, sockets=replace(made.sockets, listening=()))


def test_the_place_of_as_many_tasks_as_there_are_connections_is_named() -> None:
    found = findings(with_tasks(wait_of(*_WAITS, tasks=40), wait_of(*_HOLDS, tasks=5, longest=0)))
    assert found["IO160"].lines[1] == (
        "srv/app.py:30 price: 5 asyncio tasks at a time, of 5 connections: most likely these have "
        "them meanwhile"
    )


def test_more_tasks_than_connections_and_other_code_have_none() -> None:
    for rows in (
        (wait_of(*_HOLDS, tasks=9),),
        (wait_of(*_HOLDS, tasks=2),),
        (wait_of(*SLEEPS, tasks=5),),
    ):
        found = findings(with_tasks(wait_of(*_WAITS, tasks=40), *rows))["IO160"]
        assert len(found.lines) == 1, found.lines


def test_where_nothing_moves_it_is_grave_though_nobody_is_served() -> None:
    still = _serving_nobody(wait_of(*_WAITS, tasks=40))
    assert findings(still)["IO160"].severity == "high"
    assert still.tasks is not None
    moving = tuple(replace(row, longest_ns=S) for row in still.tasks.rows)
    moves = replace(still, tasks=TaskWaits(12, 9 * S, 40, moving))
    assert findings(moves)["IO160"].severity == "low"

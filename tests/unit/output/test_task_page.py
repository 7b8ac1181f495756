"""What ``iotrace tasks`` prints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from iotrace.output import task_json
from iotrace.output.task_page import as_table, as_tree
from iotrace.report import schema
from iotrace.report.stacks import Frame
from iotrace.report.task_list import (
    DEEPEST,
    SCHEMA,
    AsyncioTask,
    Suspension,
    TaskDescriptor,
    TaskList,
    tree,
)

_PUBLISHED = Path(__file__).parents[3] / "docs" / "tasks.schema.json"
_READ = Frame("Handler.read", "/srv/app/handlers.py", 88, True)
_MAIN = Frame("main", "/srv/app/main.py", 7, True)


def _task(number: int, name: str, awaited_by: tuple[int, ...] = ()) -> AsyncioTask:
    return AsyncioTask(
        id=number,
        name=name,
        name_length=len(name),
        state="suspended",
        loop="_UnixSelectorEventLoop",
        thread=4711,
        suspended=Suspension("looks", 302_000_000, None),
        wakes_in_ns=None,
        awaits="_asyncio.Future",
        awaits_tasks=(),
        awaited_by=awaited_by,
        descriptor=None,
        chain=(_MAIN, _READ),
        certain=True,
    )


def _list(*tasks: AsyncioTask) -> TaskList:
    below = {one.id: [t.id for t in tasks if one.id in t.awaited_by] for one in tasks}
    linked = [replace(one, awaits_tasks=tuple(below[one.id])) for one in tasks]
    return TaskList(
        schema=SCHEMA,
        iotrace="1.0",
        pid=4242,
        process="server",
        python="3.14.0",
        looks=6,
        watched_ns=303_000_000,
        resolution_ns=51_000_000,
        incomplete=(),
        tasks=tuple(linked),
    )


def _several() -> TaskList:
    descriptor = TaskDescriptor(7, "tcp", "10.0.0.1:80", "10.0.0.2:5123", "StreamReader.read")
    slept = Suspension("timer", 4_000_000_000, 4_000_000_000)
    return _list(
        _task(1, "main"),
        replace(_task(2, "reader", (1,)), descriptor=descriptor),
        replace(_task(3, "sleeper", (1, 2)), suspended=slept, wakes_in_ns=6_000_000_000),
        replace(_task(4, "fresh"), suspended=Suspension("looks", 0, 60_000_000)),
        replace(_task(5, "busy"), suspended=None, certain=False),
        replace(_task(6, "runs"), suspended=None, certain=False, state="running", awaits=""),
    )


def test_the_tree_has_each_task_below_those_that_await_it() -> None:
    assert (
        as_tree(_several(), top=None, width=100, color=False)
        == """\
process 4242 (server), Python 3.14.0: 6 asyncio tasks on _UnixSelectorEventLoop, 6 looks over 303 ms
suspended: ≥ by looks. A task that came back to the same await between two looks, up to 51.0 ms
apart, is not told from one that stayed there. = by the timer of asyncio.sleep().
├─ main  suspended  ≥ 302 ms
│  │    main app/main.py:7 > Handler.read handlers.py:88 > Future
│  ├─ reader  suspended  ≥ 302 ms  fd 7 tcp 10.0.0.1:80 -> 10.0.0.2:5123
│  │  │    main app/main.py:7 > Handler.read handlers.py:88 > Future
│  │  └─ sleeper  suspended  = 4.00 s  wakes in 6.00 s
│  │          main app/main.py:7 > Handler.read handlers.py:88 > Future
│  └─ sleeper  (above)
├─ fresh  suspended  ≤ 60.0 ms
│       main app/main.py:7 > Handler.read handlers.py:88 > Future
├─ busy  suspended?
│       main app/main.py:7 > Handler.read handlers.py:88 > Future
└─ runs  running
        main app/main.py:7 > Handler.read handlers.py:88
"""
    )


def test_the_table_has_a_row_a_task() -> None:
    text = as_table(_several(), top=None, width=160, color=False)
    rows = [line.split() for line in text.splitlines()[-6:]]
    assert [row[0] for row in rows] == ["main", "reader", "sleeper", "fresh", "busy", "runs"]
    assert rows[1][1:9] == ["suspended", "≥", "302", "ms", "fd", "7", "tcp", "10.0.0.1:80"]
    assert rows[2][-2:] == ["main,", "reader"]


@pytest.mark.parametrize("render", [as_tree, as_table])
def test_no_more_than_asked_for_and_the_rest_counted(render) -> None:
    many = _list(*(_task(number, f"Task-{number}") for number in range(1, 101)))
    text = render(many, top=3, width=100, color=False)
    assert ("Task-3" in text, "Task-4" in text) == (True, False)
    assert "… and 97 more tasks" in text


@pytest.mark.parametrize("render", [as_tree, as_table])
@pytest.mark.parametrize("color", [False, True])
def test_hostile_names_are_shown_and_do_nothing(render, color: bool) -> None:
    hostile = "\x1b]0;owned\x07\n\u202e" + "x" * 200
    task = replace(_task(1, hostile), name_length=1 << 20, loop=hostile, awaits=hostile)
    frame = Frame(hostile, hostile, None, True)
    text = render(_list(replace(task, chain=(frame,) * 9)), top=None, width=100, color=False)
    assert not {c for c in text if not c.isprintable()} - {"\n"}
    if render is as_tree:
        assert "1.05 M characters" in text
    render(_list(task), top=None, width=100, color=color).encode()


def test_tasks_that_await_each_other_are_each_told() -> None:
    circle = _list(_task(1, "a", (2,)), _task(2, "b", (1,)), _task(3, "c", (3,)))
    told = [(one.task.name, one.depth, one.again) for one in tree(circle.tasks, None)]
    assert told == [
        ("a", 0, False),
        ("b", 1, False),
        ("a", 2, True),
        ("c", 0, False),
        ("c", 1, True),
    ]


def test_a_long_chain_of_tasks_is_drawn() -> None:
    chain = _list(_task(1, "t"), *(_task(n, "t", (n - 1,)) for n in range(2, 3000)))
    branches = list(tree(chain.tasks, None))
    assert max(one.depth for one in branches) == DEEPEST - 1
    assert {one.task.id for one in branches if not one.again} == set(range(1, 3000))
    assert as_tree(chain, top=None, width=100, color=False).count("Handler.read") == 2999


def test_the_json_is_by_the_published_schema() -> None:
    assert _PUBLISHED.read_text() == schema.tasks_text(), "make docs"
    for tasks in (_several(), _list()):
        data = json.loads(task_json.render(tasks))
        jsonschema.validate(data, json.loads(_PUBLISHED.read_text()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data | {"schema": "x"}, json.loads(_PUBLISHED.read_text()))

"""Names of tasks from the raw memory that the probes keep of them."""

from __future__ import annotations

import pytest

from iotrace.asyncio_tasks.object_layout import TABLES
from iotrace.asyncio_tasks.task_offsets import task_offsets
from iotrace.engine.constants import TASK_NAME_BYTES
from tests.unit.asyncio_tasks.image import ASYNCIO_DEBUG, Image, layout

_IMAGE = Image()
_TOLD = task_offsets(layout(), _IMAGE.type("str", 1 << 28))


def _name(address: int) -> str:
    assert _TOLD is not None
    return _TOLD.name(_IMAGE.read(address, TASK_NAME_BYTES))


@pytest.mark.parametrize("name", ["reader", "", "名前", "x" * 56, "\x1b[31m"])
def test_a_name_that_fits_is_whole(name: str) -> None:
    assert _name(_IMAGE.text(name)) == name


def test_a_number_is_that_of_a_task() -> None:
    assert _name(_IMAGE.integer(4711)) == "Task-4711"


def test_a_longer_name_is_cut_and_ends_in_dots() -> None:
    assert _name(_IMAGE.text("x" * (1 << 20))) == "x" * 56 + "..."
    assert _name(_IMAGE.text("名" * 1000)) == "名" * 10 + "..."


def test_what_is_no_name_is_a_question_mark() -> None:
    assert _TOLD is not None
    text = bytearray(_IMAGE.read(_IMAGE.text("reader"), TASK_NAME_BYTES))
    text[32] = 0xFF
    for raw in (bytes(TASK_NAME_BYTES), b"", bytes(text)):
        assert _TOLD.name(raw) == "?"


def test_where_the_tasks_are_is_as_the_interpreter_says() -> None:
    assert _TOLD is not None
    assert (_TOLD.running_task, _TOLD.task_name) == (ASYNCIO_DEBUG[11], ASYNCIO_DEBUG[1])
    assert all(task_offsets(one, 1) is None for one in TABLES.values())

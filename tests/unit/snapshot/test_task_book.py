# SPDX-License-Identifier: Apache-2.0
"""Whose tasks are looked at next, where there is no time for all."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from iotrace.asyncio_tasks.task_look import SUSPENDED, Look, Task
from iotrace.snapshot import task_book
from iotrace.snapshot.task_book import TaskBook

_TICK_NS = 100_000_000
_WORKERS = range(1, 101)
_SERVE = (1, 99)
"""These have a task each."""


@dataclass
class _Clock:
    now_ns: int = 0

    def monotonic_ns(self) -> int:
        return self.now_ns


class _Reader:
    """A look at a process keeps a CPU for ``look_ns``."""

    def __init__(self, clock: _Clock, look_ns: int) -> None:
        self.clock = clock
        self.look_ns = look_ns
        self.spent_ns = 0

    def cpu_ns(self) -> int:
        return self.spent_ns


def _look_at_tasks(reader: _Reader, pid: int) -> int:
    reader.clock.now_ns += reader.look_ns
    reader.spent_ns += reader.look_ns
    return 0


def _read_tasks(reader: _Reader, pid: int) -> Look:
    now_ns = reader.clock.now_ns
    task = Task(
        address=pid,
        name="Task-1",
        name_length=6,
        state=SUSPENDED,
        loop="",
        thread=None,
        chain=(),
        awaits="",
        awaits_tasks=(),
        awaited_by=(),
        descriptor=None,
        timer=None,
        certain=True,
        unmoved=None,
    )
    return Look("3.13", now_ns, now_ns, 1, 0, (task,) if pid in _SERVE else (), ())


@pytest.mark.parametrize("look_ns", [8_000_000, 25_000_000])
def test_who_has_tasks_is_looked_at_before_all_others_were_looked_at_twice(
    monkeypatch: pytest.MonkeyPatch, look_ns: int
) -> None:
    clock = _Clock()
    monkeypatch.setattr(task_book, "time", clock)
    monkeypatch.setattr(task_book, "look_at_tasks", _look_at_tasks)
    monkeypatch.setattr(task_book, "read_tasks", _read_tasks)
    reader = _Reader(clock, look_ns)
    book = TaskBook(reader)  # type: ignore[arg-type]  # what it asks for is replaced
    for tick in range(100):
        clock.now_ns = max(clock.now_ns, tick * _TICK_NS)
        book.poll(_WORKERS, clock.now_ns)
    found = book.all()
    assert found.keys() == set(_WORKERS)
    assert min(found[pid].looks for pid in _SERVE) >= 4
    assert max(one.looks for pid, one in found.items() if pid not in _SERVE) <= 5

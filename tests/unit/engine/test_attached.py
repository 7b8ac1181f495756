"""Waiting for programs that are still being loaded."""

from __future__ import annotations

import threading

from iotrace.engine.attached import Attached


def test_what_cannot_wait_is_done_while_programs_are_loaded() -> None:
    done = threading.Event()
    attached = Attached({}, {}, {}, {}, later=[done.wait, done.wait])  # type: ignore[list-item]
    attached.settle(meanwhile=done.set)
    assert done.is_set()
    assert not attached.loading


def test_what_is_loaded_needs_nothing_meanwhile() -> None:
    loaded: list[str] = []
    attached = Attached({}, {}, {}, {}, later=[lambda: loaded.append("late")])
    attached.settle()
    attached.settle(meanwhile=lambda: loaded.append("meanwhile"))
    assert loaded == ["late"]

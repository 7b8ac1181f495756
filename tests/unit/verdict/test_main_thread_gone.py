# SPDX-License-Identifier: Apache-2.0
"""IO211: processes whose main thread has ended."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OpenSockets
from tests.unit.verdict import made_ends
from tests.unit.verdict.made import findings


def test_a_forked_worker_that_its_master_waits_for_is_ending() -> None:
    found = findings(*made_ends.main_thread_gone(True))["IO211"]
    assert found.severity == "high"
    assert found.title == (
        "The process is ending and does not end: its main thread has ended, and 1 thread that is "
        "left waits for a lock for the whole trace"
    )
    assert found.advice.startswith("End a process from its main thread")


def test_a_program_that_need_not_be_python_may_do_so_on_purpose() -> None:
    """A daemon in C that leaves the work to its pool, alone or below a server in Python."""
    master, worker = made_ends.main_thread_gone(True)
    for daemon in (
        (replace(worker, parent=1),),
        (master, replace(worker, name="indexd")),
        (replace(master, python=None), worker),
    ):
        found = findings(*daemon)["IO211"]
        assert found.severity == "low"
        assert found.title == "The main thread has ended; 1 thread waits for a lock"
        assert "on purpose" in found.advice


def test_a_python_that_nobody_waits_for_may_be_idle() -> None:
    _, worker = made_ends.main_thread_gone(True)
    alone = replace(worker, parent=1, python="3.11.2")
    assert findings(alone)["IO211"].severity == "low"
    asked = OpenSockets(1, ("127.0.0.1:8000",), 3, 0)
    assert findings(replace(alone, sockets=asked))["IO211"].severity == "high"

# SPDX-License-Identifier: Apache-2.0
"""Results that cannot come any more: only the reader itself could write to the pipe."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, findings, in_call, process

_GETS = (
    "lib/multiprocessing/connection.py:378 Connection._recv",
    "lib/multiprocessing/queues.py:103 Queue.get",
    "parent.py:20 <module>",
)
_READS = in_call("read", "pipe", *_GETS, fd=4, peer="pipe:[81]", others=(PID,))


def test_a_queue_whose_other_process_has_died() -> None:
    alone = replace(_READS, alone=True)
    found = findings(process([hangs.waiting(PID, alone)]))["IO140"]
    assert "no other process has open" in found.title
    assert "has ended, most likely killed before it did" in found.title
    assert found.lines[0].startswith("parent.py:20 <module> -> read")
    assert "process.sentinel" in found.advice


def test_a_queue_that_somebody_may_still_fill_is_no_fault() -> None:
    assert findings(process([hangs.waiting(PID, _READS)])) == {}
    alone = replace(_READS, alone=True)
    assert findings(process([hangs.waiting(PID, alone), hangs.idle(701)])) == {}


def test_a_pipe_of_its_own_may_be_written_to_by_a_signal() -> None:
    reads = in_call("read", "pipe", "main.py:9 wait_for_signal", fd=4, peer="pipe:[81]")
    assert findings(process([hangs.waiting(PID, replace(reads, alone=True))])) == {}

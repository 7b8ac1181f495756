# SPDX-License-Identifier: Apache-2.0
"""Results that cannot come any more: only the reader itself could write to the pipe."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, S, findings, in_call, process

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


_FEEDS = in_call(
    "write", "pipe", "lib/multiprocessing/connection.py:367 Connection._send",
    "lib/multiprocessing/queues.py:250 Queue._feed", *hangs.BOOTSTRAP, fd=5, peer="pipe:[81]",
    others=(PID,),
)  # fmt: skip


def test_a_program_cannot_exit_before_its_queue_is_read() -> None:
    joins = in_call(
        "futex", "", "lib/threading.py:1132 Thread._wait_for_tstate_lock",
        "lib/multiprocessing/queues.py:199 Queue._finalize_join",
        "lib/multiprocessing/util.py:360 _exit_function",
    )  # fmt: skip
    found = findings(process([hangs.waiting(PID, joins), hangs.waiting(701, _FEEDS, send=10 * S)]))
    assert "no other process that was traced has it open" in found["IO140"].title
    assert "the program cannot exit before it ends" in found["IO140"].title
    assert "cancel_join_thread" in found["IO140"].advice


def test_the_queue_of_a_program_that_works_on() -> None:
    """Its consumer does not read: the program does not wait for that."""
    feeds = replace(_FEEDS, others=(811,))
    found = findings(process([hangs.idle(PID), hangs.waiting(701, feeds, send=10 * S)]))["IO140"]
    assert "which is full: nobody reads it" in found.title
    assert "cannot exit" not in found.title

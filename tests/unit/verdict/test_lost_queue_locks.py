# SPDX-License-Identifier: Apache-2.0
"""Queues of multiprocessing whose lock went with a process that was killed."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process, UnreadPipe
from iotrace.report.stacks import InCall
from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, S, findings, in_call, process

_PIPE = "pipe:[81]"
_GETS = ("lib/multiprocessing/queues.py:102 Queue.get", "worker.py:9 work")
_OUTER = ("lib/multiprocessing/popen_fork.py:71 Popen._launch", "serve.py:3 main")
_LOCK = in_call(
    "futex", "", "lib/multiprocessing/synchronize.py:95 SemLock.__enter__", *_GETS, *_OUTER,
    object="a0",
)  # fmt: skip
_LOCKED = replace(_LOCK, timed=False)
_READS = in_call(
    "read", "pipe", "lib/multiprocessing/connection.py:378 Connection._recv", *_GETS, *_OUTER,
    fd=9, peer=_PIPE,
)  # fmt: skip


def _worker(pid: int, one: InCall = _LOCKED, unread: int = 421, reads: int = 0) -> Process:
    others = tuple(each for each in (702, 703) if each != pid)
    lies = (UnreadPipe(9, _PIPE, unread, reads, others),) if unread else ()
    worker = process([hangs.waiting(pid, one, lock=10 * S)], pid=pid, parent=PID)
    return replace(worker, unread_pipes=lies)


def _parent() -> Process:
    return process([hangs.waiting(PID, in_call("clock_nanosleep", "", "serve.py:9 guard"))])


def test_workers_that_wait_for_a_lock_which_nobody_has() -> None:
    found = findings(_parent(), _worker(702), _worker(703))["IO141"]
    assert found.severity == "high"
    assert "2 processes wait" in found.title
    assert "called at worker.py:9 work" in found.title
    assert "421 bytes of work lie unread" in found.title
    assert "OOM killer" in found.advice


def test_workers_of_an_idle_pool_are_no_fault() -> None:
    """One of them waits at the pipe, with the lock; nothing lies in it."""
    assert findings(_parent(), _worker(702, _READS, unread=0), _worker(703, unread=0)) == {}
    assert findings(_parent(), _worker(702, unread=0), _worker(703, unread=0)) == {}


def test_a_lock_that_somebody_has_or_that_somebody_has_had_meanwhile() -> None:
    """Data lies in the pipe of another queue, which is not read for now."""
    other = replace(_READS, peer="pipe:[99]")
    waiting = [_worker(702), _worker(703)]
    reader = process([hangs.waiting(704, other, recv=10 * S)], pid=704, parent=PID)
    assert "IO141" not in findings(_parent(), *waiting, reader)
    assert "IO141" not in findings(_parent(), _worker(702, reads=7), _worker(703))
    assert "IO141" not in findings(_parent(), _worker(702))
    brief = replace(_LOCKED, wait_ns=3 * S, since_ns=7 * S)
    assert "IO141" not in findings(_parent(), _worker(702, brief), _worker(703, brief))


def test_another_queue_is_read_by_other_code() -> None:
    """By a function of its own, as of results: it has the lock of that queue."""
    places = (
        "lib/multiprocessing/connection.py:378 Connection._recv",
        "lib/multiprocessing/queues.py:103 Queue.get", "monitor.py:4 monitor", *_OUTER,
    )  # fmt: skip
    results = in_call("read", "pipe", *places, fd=12, peer="pipe:[99]")
    reader = process([hangs.waiting(704, results, recv=10 * S)], pid=704, parent=PID)
    assert "IO141" in findings(_parent(), _worker(702), _worker(703), reader)

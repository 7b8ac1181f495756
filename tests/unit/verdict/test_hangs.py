"""What hangs and what only looks like it: workers, clients that listen, pools with no queue."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Phase
from tests.unit.verdict import hangs
from tests.unit.verdict.made import (
    PID,
    US,
    S,
    call,
    descriptor,
    findings,
    in_call,
    judged,
    process,
)


def test_a_pool_that_is_given_one_job_after_the_other_is_not_full() -> None:
    """Its thread sleeps before each job, however shortly."""
    (one,) = hangs.full_pool(True)
    waits = replace(
        call("futex", "", 66, tid=701), waits_ns=Phase(count=33, p50=100 * US, p99=200 * US)
    )
    assert "IO142" not in findings(replace(one, calls=(*one.calls, waits)))


def test_a_lock_that_a_fork_took_along_hangs_its_only_thread() -> None:
    taking = in_call("futex", "", "app.py:8 log", "app.py:20 main", object="a0")
    alone = hangs.waiting(PID, taking)
    assert "when the process was forked" in findings(process([alone]))["IO141"].title
    other = hangs.idle(702)
    assert "IO141" not in findings(process([alone, other]))


def test_a_lock_that_a_hanging_thread_has_is_told_with_it() -> None:
    found = judged(*hangs.locked(True)).findings
    assert [one.id for one in found] == ["IO140"]
    assert [one.id for one in found[0].symptoms] == ["IO141"]


def test_a_client_that_is_sent_data_unasked_is_idle() -> None:
    feed = in_call("recvfrom", "tcp", "app.py:8 read", "app.py:20 main", fd=8, peer="10.0.0.9:1")
    row = descriptor(8, local="127.0.0.1:51000", peer="10.0.0.9:1", bytes_out=10)
    waits = hangs.waiting(PID, feed, recv=10 * S)
    assert "IO140" not in findings(process([waits], descriptors=[row]))
    asked = replace(waits, in_call=replace(feed, since_ns=S, wait_ns=9 * S))
    assert "IO140" in findings(process([asked], descriptors=[row]))

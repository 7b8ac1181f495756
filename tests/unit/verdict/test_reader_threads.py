# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for what another thread of a client's library reads."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Descriptor, Thread
from tests.unit.verdict import hangs
from tests.unit.verdict.made import (
    PID,
    Found,
    S,
    by_rule,
    descriptor,
    in_call,
    judged,
    process,
)

_SSH = "lib/site-packages/paramiko"
_READS = in_call(
    "poll", "tcp", f"{_SSH}/packet.py:322 Packetizer.read_all",
    f"{_SSH}/transport.py:2201 Transport.run", *hangs.BOOTSTRAP, fd=4, peer="10.0.0.9:22",
    wait=0, since=9 * S,
)  # fmt: skip


def _asking(
    place: str, *, timed: bool, reader: bool = True, rows: tuple[Descriptor, ...] = ()
) -> Found:
    call = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait", "lib/threading.py:622 Event.wait",
        place, "collect.py:15 run",
    )  # fmt: skip
    threads: list[Thread] = [hangs.waiting(PID, replace(call, timed=timed))]
    if reader:
        threads.append(hangs.waiting(701, _READS, poll=10 * S))
    return by_rule(judged(process(threads, descriptors=rows)).findings)


def test_an_answer_that_another_thread_would_read_does_not_come() -> None:
    told = _asking(f"{_SSH}/channel.py:400 Channel.recv_exit_status", timed=False)["IO140"]
    assert told.evidence["peer"] == "10.0.0.9:22"
    assert told.title.startswith(
        f"Thread {PID} hangs in Channel.recv_exit_status of paramiko (channel.py): what it waits "
        "for would come over the connection to 10.0.0.9:22, which thread 701 reads"
    )
    assert "window" in told.advice


def test_who_wakes_up_by_itself_or_follows_a_stream_does_not_hang() -> None:
    status = f"{_SSH}/channel.py:400 Channel.recv_exit_status"
    assert "IO140" not in _asking(status, timed=True)
    assert "IO140" not in _asking(status, timed=False, reader=False)
    assert "IO140" not in _asking(f"{_SSH}/channel.py:700 Channel.recv", timed=False)
    assert "IO140" not in _asking(f"{_SSH}/file.py:190 BufferedFile.read", timed=False)
    assert "IO140" not in _asking(f"{_SSH}/transport.py:1000 Transport.accept", timed=False)


def test_a_command_that_prints_is_at_work() -> None:
    status = f"{_SSH}/channel.py:400 Channel.recv_exit_status"
    for came in (0, 4_096):
        row = descriptor(4, local="10.0.0.1:40001", peer="10.0.0.9:22", bytes_in=came)
        assert ("IO140" in _asking(status, timed=False, rows=(row,))) is (came == 0)


def test_who_waits_for_a_connection_waits_for_no_answer() -> None:
    """A driver with a pool, and a thread of its own that looks after the server (pymongo)."""
    driver = "lib/site-packages/pymongo"
    call = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait", f"{driver}/lock.py:90 _cond_wait",
        f"{driver}/synchronous/pool.py:1100 Pool._get_conn",
        f"{driver}/synchronous/collection.py:1700 Collection.find_one", "collect.py:15 run",
    )  # fmt: skip
    watches = in_call(
        "poll", "tcp", f"{driver}/network_layer.py:322 receive_data",
        f"{driver}/periodic_executor.py:120 PeriodicExecutor._run", *hangs.BOOTSTRAP, fd=4,
        peer="10.0.0.9:27017", wait=0, since=9 * S,
    )  # fmt: skip
    threads = [
        hangs.waiting(PID, replace(call, timed=False)),
        hangs.waiting(701, watches, poll=10 * S),
    ]
    found = by_rule(judged(process(threads)).findings)
    assert not any("paramiko" in one.title or "reads, and" in one.title for one in found.values())

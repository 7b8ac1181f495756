# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for what another thread of a client's library reads."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Thread
from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, Found, S, by_rule, in_call, judged, process

_SSH = "lib/site-packages/paramiko"
_READS = in_call(
    "poll", "tcp", f"{_SSH}/packet.py:322 Packetizer.read_all",
    f"{_SSH}/transport.py:2201 Transport.run", *hangs.BOOTSTRAP, fd=4, peer="10.0.0.9:22",
    wait=0, since=9 * S,
)  # fmt: skip


def _asking(place: str, *, timed: bool, reader: bool = True) -> Found:
    call = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait", "lib/threading.py:622 Event.wait",
        place, "collect.py:15 run",
    )  # fmt: skip
    threads: list[Thread] = [hangs.waiting(PID, replace(call, timed=timed))]
    if reader:
        threads.append(hangs.waiting(701, _READS, poll=10 * S))
    return by_rule(judged(process(threads)).findings)


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

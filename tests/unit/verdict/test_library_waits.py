# SPDX-License-Identifier: Apache-2.0
"""Hangs within libraries: in worker processes that they run, behind native threads of theirs."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Connected, OpenSockets, Process
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
from tests.unit.verdict.made_ends import FORKED

_SITE = "lib/site-packages"
_PEER = "10.0.0.9:8080"
_ASKS = (
    f"{_SITE}/httpcore/_backends/sync.py:128 SyncStream.read",
    f"{_SITE}/httpx/_client.py:825 Client.request",
    f"{_SITE}/conductor/client/http/rest.py:253 RESTClientObject.request",
    f"{_SITE}/conductor/client/automator/task_runner.py:144 TaskRunner.run",
    "lib/multiprocessing/process.py:108 BaseProcess.run",
)


def _worker(*places: str, syscall: str = "recvfrom", tid: int = PID) -> dict[str, Found]:
    """A forked process whose main thread reads all along."""
    reads = in_call(syscall, "tcp", *places, fd=11, peer=_PEER)
    row = descriptor(11, local="10.0.0.7:51011", peer=_PEER)
    one = process([hangs.waiting(tid, reads, recv=10 * S)], descriptors=[row])
    return by_rule(judged(one).findings)


def test_a_worker_that_a_library_runs_hangs_without_code_of_the_programs() -> None:
    told = _worker(*_ASKS, *FORKED)["IO140"]
    assert told.evidence["peer"] == _PEER
    assert "asked by RESTClientObject.request, conductor/.../rest.py:253" in told.title
    assert "timeout" in told.advice


def test_who_listens_polls_or_is_a_thread_of_a_library_does_not() -> None:
    listens = (f"{_SITE}/redis/client.py:9 PubSub.listen", *_ASKS[3:])
    assert "IO140" not in _worker(*listens, *FORKED)
    assert "IO140" not in _worker(*_ASKS, *FORKED, syscall="poll")  # it has a timeout
    assert "IO140" not in _worker(*_ASKS, *FORKED, tid=PID + 1)
    assert "IO140" not in _worker(*_ASKS, *hangs.BOOTSTRAP)


def _camera(function: str, *, peers: int = 1, kind: str = "eventfd") -> Process:
    waits = in_call(
        "poll", kind, f"{_SITE}/imagezmq/imagezmq.py:113 {function}", "camera.py:12 work", fd=9
    )
    connected = tuple(Connected(f"10.0.0.{n}:5555", 1, 0) for n in range(peers))
    one = process([hangs.waiting(PID, waits, poll=10 * S)])
    return replace(one, sockets=OpenSockets(peers, (), 0, 0, connected=connected))


def test_what_is_sent_behind_a_native_thread_and_never_answered() -> None:
    told = by_rule(judged(_camera("ImageSender.send_image_reqrep")).findings)["IO140"]
    assert told.evidence["peer"] == "10.0.0.0:5555"
    assert "hangs in ImageSender.send_image_reqrep" in told.title
    assert "RCVTIMEO" in told.advice
    several = by_rule(judged(_camera("ImageSender.send_image", peers=2)).findings)["IO140"]
    assert "peer" not in several.evidence


def test_who_receives_there_may_wait_as_long_as_it_likes() -> None:
    assert not judged(_camera("ImageHub.recv_image")).findings
    assert not judged(_camera("ImageSender.send_image", kind="pipe")).findings

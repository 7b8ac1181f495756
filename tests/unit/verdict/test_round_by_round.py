# SPDX-License-Identifier: Apache-2.0
"""IO225 of programs that hand over one thing after the other, each with a round trip of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import OpenSockets, Process
from iotrace.report.requests import Durations, Upstream
from tests.unit.verdict.made import (
    MS,
    call,
    descriptor,
    event_loop,
    in_call,
    judged,
    line_of,
    thread,
)
from tests.unit.verdict.made_tasks import wait_of, with_tasks

PEER = "10.0.0.9:4222"
_WAITS = "lib/asyncio/tasks.py:466 wait_for"
_PACKAGE = "lib/site-packages/nats"


def _upstream(calls: int = 100, each: int = 90 * MS, at_once: int = 1) -> Upstream:
    times = Durations(calls, each, each, each, each, each)
    return Upstream(PEER, "tcp", calls, at_once, 0, None, times, None, None, 0, {})


def _task(function: str, *callers: str, upstream: Upstream | None = None) -> Process:
    called = f"{_PACKAGE}/js/client.py:119 JetStreamContext.{function}"
    waits = wait_of(_WAITS, called, "importer.py:14 main", *callers, tasks=1)
    one = replace(with_tasks(waits), upstreams=(upstream or _upstream(),))
    return replace(one, sockets=OpenSockets(3, (), 0, 0))


def _told(one: Process) -> str:
    found = [finding for finding in judged(one).findings if finding.id == "IO225"]
    return "; ".join(text for finding in found for text in (finding.title, *finding.lines))


@pytest.mark.parametrize(
    ("function", "gives"),
    [
        ("publish", True), ("send_and_wait", True), ("insert_one", True), ("hset", True),
        ("put_object", True), ("xadd", True), ("sendmail", True),
        ("fetch", False), ("next_msg", False), ("xread", False), ("get", False),
        ("bulk_create", True), ("create_object", True), ("send_and_confirm", True),
        ("create", False), ("acreate", False), ("post", False), ("send_keys", False),
        ("create_connection", False), ("create_session", False), ("delete_cookie", False),
        ("create_chat_completion", False),
        ("send_receive", False), ("settle", False), ("execute", False), ("address_of", False),
    ],
)  # fmt: skip
def test_only_what_hands_something_over_is_no_wait_for_work(function: str, gives: bool) -> None:
    assert ("one after the other" in _told(_task(function))) is gives


def test_the_line_the_peer_and_the_rate_are_told() -> None:
    (found,) = judged(_task("publish")).findings
    assert found.severity == "low"
    assert "90 ms later. 100 round trips, 10 a second" in found.title
    assert found.lines[0].startswith("importer.py:14 main: 1 asyncio task")
    assert found.evidence["peer"] == PEER
    assert found.advice.endswith("or a quicker peer.")


def test_few_quick_or_overlapping_calls_and_pauses_are_none() -> None:
    for upstream in (
        _upstream(calls=29, each=300 * MS),
        _upstream(calls=3_000, each=3 * MS),
        _upstream(at_once=2),
        _upstream(calls=50),  # half of the time it does something else
    ):
        assert "one after the other" not in _told(_task("publish", upstream=upstream))


def test_who_is_called_back_for_each_message_is_told_that() -> None:
    handler = "lib/site-packages/aiokafka/app.py:11 Consumer.dispatch"
    assert "one after the other" not in _told(_task("publish", handler))


def test_a_thread_that_does_so_is_told_too() -> None:
    frames = (
        "lib/site-packages/pymongo/network.py:20 receive",
        "lib/site-packages/pymongo/collection.py:700 Collection.insert_one",
        "importer.py:9 main",
    )
    line = line_of(in_call("recvfrom", "tcp", *frames, fd=7), 100, 9_000 * MS, 90 * MS)
    row = descriptor(7, local="10.0.0.2:50000", peer=PEER, calls=200, wait=9_000 * MS)
    waiting = thread(recv=9_000 * MS, user=1_000 * MS)
    one = replace(
        event_loop(),
        threads=(waiting,),
        calls=(call("sendto", "tcp", 100, bytes=9_000), call("recvfrom", "tcp", 100, bytes=9_000)),
        loops=(),
        lines=(line,),
        descriptors=(row,),
        upstreams=(_upstream(),),
        sockets=OpenSockets(3, (), 0, 0),
    )
    assert "importer.py:9 main" in _told(one)
    assert "one after the other" in _told(one)

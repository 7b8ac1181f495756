# SPDX-License-Identifier: Apache-2.0
"""Data that comes faster than it is handled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import OpenSockets, Process
from iotrace.report.surroundings import GroupLimits
from tests.unit.verdict.made import S, descriptor, findings
from tests.unit.verdict.made_tasks import wait_of, with_tasks

_PEER = "10.0.0.9:443"
_SLEEPS = ("lib/asyncio/tasks.py:639 sleep", "client.py:19 main")


def _client(grown: int, received: int, limit: int | None = None) -> Process:
    limits = GroupLimits(
        memory_limit_bytes=limit,
        memory_used_bytes=limit and limit // 2,
        own_bytes=200 << 20,
        own_grown_bytes=grown,
        own_watched_ns=8 * S,
    )
    row = descriptor(7, local="10.0.0.1:51000", peer=_PEER, bytes_in=received, bytes_out=0)
    return replace(
        with_tasks(wait_of(*_SLEEPS, tasks=1)),
        descriptors=(row,),
        sockets=OpenSockets(3, (), 0, 0),
        limits=limits,
    )


def test_a_peer_that_sends_faster_than_it_is_handled() -> None:
    found = findings(_client(80 << 20, 100 << 20))["IO213"]
    assert found.severity == "low"
    assert found.title == (
        f"Data comes from {_PEER} faster than it is handled, or is all kept: 10 MiB a second come, "
        "and the process's memory grows by 10 MiB a second"
    )
    assert [line.split(":")[:2] for line in found.lines] == [["client.py", "19 main"]]


def test_it_may_be_loaded_as_a_whole_however_near_the_limit_is() -> None:
    assert findings(_client(40 << 20, 40 << 20, 1 << 30))["IO213"].severity == "low"
    assert findings(_client(80 << 20, 100 << 20, 240 << 20))["IO213"].severity == "low"


@pytest.mark.parametrize(("grown", "received"), [(20, 30), (80, 400), (80, 20), (0, 100)])
def test_what_is_handled_or_is_something_else(grown: int, received: int) -> None:
    assert "IO213" not in findings(_client(grown << 20, received << 20))

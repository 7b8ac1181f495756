# SPDX-License-Identifier: Apache-2.0
"""The only thread waits for a database, and has another connection to it."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.report.surroundings import Connected, OpenSockets
from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, S, descriptor, findings, in_call, process

_PEER = "10.0.0.9:3306"
_ASKS = (
    "lib/socket.py:706 SocketIO.readinto",
    "lib/site-packages/pymysql/connections.py:807 Connection._read_bytes",
    "lib/site-packages/sqlalchemy/engine/base.py:1964 Connection._exec_single_context",
    "migrate.py:10 main",
)


def _waiting(*places: str, connections: int = 2) -> Process:
    asks = in_call("recvfrom", "tcp", *places, fd=5, peer=_PEER)
    one = process(
        [hangs.waiting(PID, asks, recv=10 * S)],
        (),
        (),
        [descriptor(5, local="10.0.0.7:51000", peer=_PEER)],
    )
    open_now = OpenSockets(connections, connected=(Connected(_PEER, connections, 0),))
    return replace(one, sockets=open_now)


def test_a_transaction_of_its_own_may_have_the_lock() -> None:
    found = findings(_waiting(*_ASKS))["IO140"]
    assert "no answer comes (the same thread has another connection to it" in found.title
    assert found.evidence["other_connections_to_it"] == 1
    assert "one session" in found.advice


def test_one_connection_is_its_own_alone() -> None:
    found = findings(_waiting(*_ASKS, connections=1))["IO140"]
    assert "connection to it" not in found.title
    assert "other_connections_to_it" not in found.evidence


def test_other_threads_work_with_their_own_connections() -> None:
    one = _waiting(*_ASKS)
    beside = replace(one, threads=(*one.threads, hangs.idle(701)))
    assert "connection to it" not in findings(beside)["IO140"].title


def test_a_web_service_has_no_transactions() -> None:
    http = ("lib/socket.py:706 SocketIO.readinto", "lib/http/client.py:279 _read", _ASKS[-1])
    assert "connection to it" not in findings(_waiting(*http))["IO140"].title

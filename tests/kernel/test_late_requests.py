# SPDX-License-Identifier: Apache-2.0
"""IO215: requests on connections that the server has closed, as they were idle."""

from __future__ import annotations

import contextlib
import socket

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.report.detail import Detail
from tests.found import by_rule
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, report_of, tracing

MS = 1_000_000
_IDLE_S = 0.3
_PEER = "127.0.9.1"
_REQUEST, _FAREWELL = b"?" * 65, b"?" * 64


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), source_address=(_PEER, 0))
    connection.sendall(_REQUEST)
    assert connection.recv(1) == b"!"
    return connection


@pytest.mark.parametrize("detail", [Detail.FULL, Detail.SOCKETS])
def test_requests_after_the_close_are_counted(detail: Detail) -> None:
    """Each once, in however many segments; what is short may be a farewell."""
    late = [_REQUEST * 3_000, _REQUEST, _REQUEST]
    sent = [*late, _FAREWELL]
    with (
        Target("idle_closer.py", _IDLE_S, len(sent)) as target,
        tracing(target.pid, limits=Limits(detail=detail)) as trace,
        contextlib.ExitStack() as stack,
    ):
        target.go()
        clients = [stack.enter_context(_connected(target.facts["port"])) for _ in sent]
        for client, data in zip(clients, sent, strict=True):
            assert client.recv(1) == b""  # the server has closed it
            with contextlib.suppress(ConnectionError):
                client.sendall(data)
        target.wait_until_finished()
        report = report_of(trace)
        (row,) = process_of(report, target.pid).requests
    assert (row.exchanges, row.after_close, row.after_close_peer) == (len(sent), len(late), _PEER)
    assert _IDLE_S * 1e9 <= row.after_close_idle_ns / len(late) <= 2 * _IDLE_S * 1e9
    assert 0 < row.after_close_ns / len(late) <= 200 * MS
    found = by_rule(report.findings)["IO215"]
    assert found.evidence["peer"] == _PEER

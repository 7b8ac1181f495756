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
_PEER, _OTHER_PEER = "127.0.9.1", "127.0.9.2"
_REQUEST, _FAREWELL = b"?" * 65, b"?" * 64


def _connected(port: int, peer: tuple[str, int], host: str = "127.0.0.1") -> socket.socket:
    connection = socket.create_connection((host, port), source_address=peer)
    connection.sendall(_REQUEST)
    assert connection.recv(1) == b"!"
    return connection


@pytest.mark.parametrize("detail", [Detail.FULL, Detail.SOCKETS])
def test_requests_after_the_close_are_counted(detail: Detail) -> None:
    """Each once, in however many segments, of hosts that use the same port, too; what is short may
    be a farewell."""
    late = [_REQUEST * 3_000, _REQUEST, _REQUEST]
    sent = [*late, _FAREWELL]
    with (
        Target("idle_closer.py", _IDLE_S, len(sent), 0, "127.0.0.1") as target,
        tracing(target.pid, limits=Limits(detail=detail)) as trace,
        contextlib.ExitStack() as stack,
    ):
        target.go()
        port = target.facts["port"]
        clients = [stack.enter_context(_connected(port, (_OTHER_PEER, 0)))]
        same_port = _PEER, clients[0].getsockname()[1]
        for peer in (same_port, *[(_PEER, 0)] * (len(sent) - 2)):
            clients.append(stack.enter_context(_connected(port, peer)))
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


@pytest.mark.parametrize("idle_s", [_IDLE_S, 0.01])
def test_a_connection_that_is_closed_with_its_answer_was_not_idle(idle_s: float) -> None:
    """However long the answer took: what follows (the rest of an upload) is no request."""
    with (
        Target("idle_closer.py", idle_s, 2, 0.2, "::1") as target,
        tracing(target.pid) as trace,
        contextlib.ExitStack() as stack,
    ):
        target.go()
        for _ in range(2):
            client = stack.enter_context(_connected(target.facts["port"], ("::1", 0), "::1"))
            assert client.recv(1) == b""
            with contextlib.suppress(ConnectionError):
                client.sendall(_REQUEST)
        target.wait_until_finished()
        (row,) = process_of(report_of(trace), target.pid).requests
    assert row.after_close == (2 if idle_s == _IDLE_S else 0)
    assert row.after_close_peer == ("[::1]" if row.after_close else "")
    if row.after_close:
        assert 1 <= row.after_close_idle_ns / 2 / 1e9 / _IDLE_S <= 1.5, "the answer's time is none"

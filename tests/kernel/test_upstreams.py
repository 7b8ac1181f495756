"""Calls upstream: how long the peer took, and how late its answers were read."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.report.detail import Detail
from iotrace.report.requests import Upstream
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, report_of, tracing

DELAY_MS = 60
DELAY_NS = DELAY_MS * 1_000_000


@contextlib.contextmanager
def _upstream(answers_ms: list[int], late_ms: int) -> Iterator[int]:
    """A server that answers each line after so long, and says how late it is to be read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                for answer_ms in answers_ms:
                    lines.readline()
                    time.sleep(answer_ms / 1000)
                    connection.sendall(b"%d\n" % late_ms)
                lines.read()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("detail", ["full", "sockets"])
def test_a_call_upstream_is_their_time_and_our_pickup(detail: str) -> None:
    answers_ms = [DELAY_MS] * 5
    with socket.create_server(("127.0.0.1", 0)) as dead:
        dead_port = dead.getsockname()[1]
    with (
        _upstream(answers_ms, late_ms=9) as port,
        Target("query_client.py", port, dead_port, len(answers_ms)) as target,
        tracing(target.pid, limits=Limits(detail=Detail(detail))) as trace,
    ):
        target.go()
        target.wait_until_finished()
        report = report_of(trace)
    rows = {row.peer: row for row in process_of(report, target.pid).upstreams}
    refused = rows.pop(f"127.0.0.1:{dead_port}")
    assert (refused.calls, refused.connect_errors, refused.connect_ns) == (0, 1, None)
    (row,) = rows.values()
    _check_upstream(row, port, len(answers_ms))


def _check_upstream(row: Upstream, port: int, calls: int) -> None:
    assert (row.peer, row.kind, row.connect_errors) == (f"127.0.0.1:{port}", "tcp", 0)
    assert (row.calls, row.in_flight_max, row.unanswered) == (calls, 1, 1)
    assert row.theirs_ns is not None
    assert row.pickup_ns is not None
    assert row.connect_ns is not None
    assert row.oldest_unanswered_ns is not None
    assert row.connect_ns.count == 1
    assert DELAY_NS <= row.theirs_ns.max < 1.5 * DELAY_NS
    assert 9_000_000 <= row.pickup_ns.max < DELAY_NS
    assert row.pickup_states_ns["sleep"] >= calls * 9_000_000
    assert sum(row.pickup_states_ns.values()) >= row.pickup_states_ns["sleep"]

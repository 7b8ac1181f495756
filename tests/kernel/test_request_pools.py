"""Exchanges of servers whose threads share the work: one reads, others answer."""

from __future__ import annotations

import contextlib

from tests.kernel.test_requests import Server, requests_of
from tests.kernel.tracing import report_of, tracing

_EXCHANGES = 23
_DELAY_MS = 5


def test_a_loop_that_lets_others_answer_has_its_requests_first() -> None:
    with (
        Server("handing") as server,
        tracing(server.pid) as trace,
        contextlib.ExitStack() as ends,
    ):
        connections = [ends.enter_context(server.connect()) for _ in range(3)]
        for _ in range(_EXCHANGES):
            for connection in connections:
                connection.sendall(b"sleep %d\n" % _DELAY_MS)
            for connection in connections:
                assert connection.recv(100) == b"ok\n"
        row = requests_of(report_of(trace), server.pid)
    assert row.exchanges == 3 * _EXCHANGES
    # Sums cannot be read while they are written: now and then, for long where an interrupt or the
    # hypervisor takes the CPU from the loop just then.
    assert row.unknown <= row.exchanges // 10
    pickups = [tier.pickup_ns for tier in row.tiers]
    untold_ns = sum(one.get("elsewhere", 0) + one.get("sleep", 0) for one in pickups)
    assert untold_ns <= sum(sum(one.values()) for one in pickups) // 4
    # Two threads answer, and nothing tells since when they have it.
    services_ns = sum(sum(tier.service_ns.values()) for tier in row.tiers)
    assert services_ns >= 3 * _EXCHANGES * _DELAY_MS * 1_000_000

"""Single events: the slices of exchanges are those of the ledger."""

from __future__ import annotations

from iotrace.engine.map_limits import Limits
from iotrace.timeline.recorded_events import Timeline
from iotrace.timeline.tracks import tracks_of
from tests.kernel.test_requests import Server, ask, requests_of
from tests.kernel.tracing import report_of, tracing

_EXCHANGES = 23


def test_each_exchange_is_a_slice_with_its_parts() -> None:
    limits = Limits(timeline_pages=256)
    with Server("loop") as server, tracing(server.pid, limits=limits) as trace:
        trace.timeline(True)
        with server.connect() as connection:
            for _ in range(_EXCHANGES):
                assert ask(connection) == b"ok\n"
            assert ask(connection, "two") == b"ok\n"
        report = report_of(trace)
        timeline = Timeline(trace.packed_events(), trace.probes.call_names)
    row = requests_of(report, server.pid)
    found = tracks_of(timeline).exchanges
    assert len(found) == row.exchanges == _EXCHANGES + 1
    assert {one.group for one in found} == {f"requests :{row.listener.rpartition(':')[2]}"}
    parts = dict.fromkeys(("queue", "pickup", "service", "last byte"), 0)
    for one in found:
        for part in one.parts:
            parts[part.name] += part.to_ns - part.from_ns
    assert parts["queue"] == sum(tier.queue_ns for tier in row.tiers)
    assert parts["pickup"] == sum(sum(tier.pickup_ns.values()) for tier in row.tiers)
    assert parts["service"] == sum(sum(tier.service_ns.values()) for tier in row.tiers)
    assert parts["last byte"] > 20_000_000, "the second half of the last one"

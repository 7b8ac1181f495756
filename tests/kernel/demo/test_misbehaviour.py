"""The teaching variants: what is wrong on purpose shows in numbers."""

from __future__ import annotations

import pytest
from iotrace.servers.protocol import HEADER_BYTES

from iotrace.demo.runner import Runner
from tests.kernel.demo.playing import MULTIPLEXED, loop_of, play, served

UNANSWERED = ("--connections", "1", "--requests", "1", "--timeout", "0.3")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("poll", "--never-accept"),
        ("epoll", "--no-read"),
        *(
            pytest.param(name, fault, marks=pytest.mark.thorough)
            for name, fault in [
                ("select", "--never-accept"),
                ("epoll", "--never-accept"),
                ("select", "--no-read"),
                ("poll", "--no-read"),
            ]
        ),
    ],
)
def test_level_triggering_spins_over_what_nobody_takes(
    runner: Runner, name: str, fault: str
) -> None:
    measurement = play(runner, name, *UNANSWERED, server=(fault,), errors=1)
    loop = loop_of(served(measurement))
    assert loop.multiplexer == MULTIPLEXED[name]
    assert loop.unserved > 1_000
    assert loop.unserved >= loop.iterations - 2
    seen = measurement.figures
    assert seen.cpu_ns + seen.runq_ns > 250_000_000
    assert seen.synchronous is None
    assert measurement.requests == ()
    assert measurement.events


def test_edge_triggering_that_stops_early_leaves_data_behind(runner: Runner) -> None:
    # Two requests come at once, one is read; the other waits 40 ms for the edge of the next.
    load = (
        *("--requests", "11", "--payload", "500", "--pipeline", "2"),
        *("--delay-ms", "40", "--timeout", "0.5"),
    )
    early = ("--stop-early", str(HEADER_BYTES + 500))
    broken = play(runner, "epoll-et", *load, server=early, errors=1)
    whole = play(runner, "epoll-et", *load)
    assert broken.figures.pickup is not None
    assert broken.figures.pickup.p50 >= 40_000_000
    assert whole.figures.pickup is not None
    assert whole.figures.pickup.p50 < 5_000_000
    assert (broken.result.requests, whole.result.requests) == (10, 11)
    assert any(request.left_behind for request in broken.requests)
    assert not any(request.left_behind for request in whole.requests)


def test_a_slow_handler_delays_every_other_event(runner: Runner) -> None:
    load = ("--connections", "5", "--requests", "65")
    slow = play(runner, "event-queue", *load, server=("--slow-handler-ms", "20"))
    assert slow.result.latency_ns is not None
    # Four others are served before.
    assert slow.result.latency_ns.p50 > 4 * 20_000_000
    assert slow.figures.pickup is not None
    assert slow.figures.asleep_in[0] == "clock_nanosleep"

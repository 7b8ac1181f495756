"""How figures grow: the copy with the message, select's price with the descriptors."""

from __future__ import annotations

import pytest
from iotrace.servers.catalog import MODELS, find

from iotrace.demo.runner import Runner
from tests.kernel.demo.playing import play

LARGE_BYTES = 1 << 20
_SYNCHRONOUS = [model.id for model in MODELS if model.synchronous]


def test_the_copy_of_a_large_message_is_of_one_order_in_all_synchronous_models(
    runner: Runner,
) -> None:
    load = ("--requests", "7", "--payload", str(LARGE_BYTES), "--delay-ms", "5")
    copies_ns = {}
    for name in _SYNCHRONOUS:
        reconnect = ("--reconnect",) if find(name).per_request_connection else ()
        seen = play(runner, name, *load, *reconnect).figures
        assert seen.read_bytes > 7 * LARGE_BYTES
        copies_ns[name] = seen.copy_ns / 7
    assert max(copies_ns.values()) < 10 * min(copies_ns.values()), copies_ns
    small = play(runner, "blocking", "--requests", "7", "--delay-ms", "5").figures
    assert copies_ns["blocking"] > 10 * small.copy_ns / 7


@pytest.mark.parametrize(("name", "grows"), [("select", True), ("poll", True), ("epoll", False)])
def test_only_epoll_costs_the_same_with_many_descriptors(
    runner: Runner, name: str, grows: bool
) -> None:
    """Requests come one by one, so that each call of the multiplexer finds one ready."""
    costs_ns = {}
    for connections in (10, 500):
        load = ("--connections", str(connections), "--rate", "250", "--duration", "1")
        with runner.server(find(name)) as server:
            # Counted once all are connected.
            seen = server.run_load(load, counted_ns=(500_000_000, 1_000_000_000)).figures
        assert seen.multiplexer_calls > 10
        costs_ns[connections] = seen.multiplexer_ns / seen.multiplexer_calls
    if grows:
        assert costs_ns[500] > 3 * costs_ns[10], costs_ns
    else:
        assert costs_ns[500] < 2 * costs_ns[10], costs_ns

"""The load's process."""

from __future__ import annotations

import os

import pytest
from iotrace.servers.launch import running
from iotrace.servers.load_process import LoadProcess

from iotrace.errors import IotraceError

TICK_NS = 5_000_000


def nothing() -> None:
    """No tick."""


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_one_process_carries_out_one_load_after_the_other() -> None:
    ticks: list[None] = []
    with LoadProcess() as load, running("epoll") as server:
        for number in (7, 11):
            arguments = ("--port", str(server.port), "--requests", str(number), "--delay-ms", "5")
            result = load.run(arguments, lambda: ticks.append(None), TICK_NS)
            assert (result.requests, result.errors) == (number, {})
            assert result.latency_ns is not None
            assert result.latency_ns.count == number
    assert ticks


def test_a_load_that_cannot_be_is_told_in_its_own_words() -> None:
    with LoadProcess() as load, pytest.raises(IotraceError) as failure:
        load.run(("--port", "1", "--requests", "x"), nothing, TICK_NS)
    assert "--requests" in failure.value.why


def test_leaving_ends_the_process_in_the_midst_of_a_load() -> None:
    class Enough(Exception):
        """Raised by a tick."""

    def stop() -> None:
        raise Enough

    with running("epoll") as server, LoadProcess() as load:
        pid = load.pid
        arguments = ("--port", str(server.port), "--duration", "60")
        with pytest.raises(Enough):
            load.run(arguments, stop, TICK_NS)
        load.close()
        assert is_gone(pid)

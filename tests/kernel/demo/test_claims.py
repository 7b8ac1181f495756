"""Each model's claim (io-models): made visible by numbers of a real trace."""

from __future__ import annotations

import pytest
from iotrace.servers.catalog import MODELS, find
from iotrace.servers.limits import FD_SETSIZE

from iotrace.demo.diagram import draw
from iotrace.demo.request import typical
from iotrace.demo.runner import Measurement, Runner
from tests.kernel.demo.playing import (
    DELAY_NS,
    MULTIPLEXED,
    REQUESTS,
    calls_of,
    eagain_of,
    loop_of,
    play,
    served,
    slept_ns,
    waited_ns,
)

_CONNECTION_ENDS = 1
"""The read that tells that the client has left; it may or may not be in the time counted."""

_needs_uring = pytest.mark.skipif(
    find("async-io").unavailable() is not None, reason=str(find("async-io").unavailable())
)


@pytest.fixture(scope="module")
def performances(runner: Runner) -> dict[str, Measurement]:
    """Every model once, with one client that sends every 10 ms."""
    return {model.id: play(runner, model.id) for model in MODELS if model.unavailable() is None}


def test_every_model_answers_and_nothing_is_lost(performances: dict[str, Measurement]) -> None:
    assert {p.figures.requests for p in performances.values()} == {REQUESTS}
    for measurement in performances.values():
        assert measurement.report.quality.unaccounted_ratio < 0.001


def test_the_io_of_all_but_one_is_synchronous(performances: dict[str, Measurement]) -> None:
    found = {name: p.figures.synchronous for name, p in performances.items()}
    assert found == {name: find(name).synchronous for name in performances}


def test_blocking_waits_in_recvfrom_with_one_call_a_message(
    performances: dict[str, Measurement],
) -> None:
    process = served(performances["blocking"])
    reads = calls_of(process, "recvfrom")
    assert REQUESTS <= reads <= REQUESTS + _CONNECTION_ENDS
    assert calls_of(process, "sendto") == REQUESTS
    assert not process.loops
    wait_ns = waited_ns(process, "recvfrom")
    assert wait_ns >= REQUESTS * DELAY_NS
    assert wait_ns + waited_ns(process, "accept4") == slept_ns(process)


def test_blocking_serves_one_client_at_a_time(runner: Runner) -> None:
    load = ("--connections", "2", "--requests", "20", "--delay-ms", "10")
    blocking, threads = play(runner, "blocking", *load), play(runner, "thread", *load)
    assert blocking.result.latency_ns is not None
    assert threads.result.latency_ns is not None
    # The second client's first answer comes when the first client has all of its ten.
    assert blocking.result.latency_ns.max > 8 * DELAY_NS
    assert threads.result.latency_ns.p50 < DELAY_NS


def test_nonblocking_never_sleeps_and_asks_in_vain(performances: dict[str, Measurement]) -> None:
    seen = performances["nonblocking"].figures
    process = served(performances["nonblocking"])
    assert slept_ns(process) == 0
    assert seen.voluntary == 0
    assert eagain_of(process, "recvfrom") > 100 * REQUESTS
    assert seen.cpu_ns + seen.runq_ns > 0.95 * REQUESTS * DELAY_NS


def test_nonblocking_with_sleeps_is_late(runner: Runner) -> None:
    # One 50 ms sleep after another; requests come in the midst of one.
    load = ("--requests", "11", "--delay-ms", "20")
    late = play(runner, "nonblocking", *load, server=("--sleep-ms", "50")).figures
    assert late.pickup is not None
    assert late.pickup.p50 > 15_000_000
    assert late.asleep_in[0] == "clock_nanosleep"
    assert late.cpu_ns < 0.1 * late.wait_ns


@pytest.mark.parametrize("name", list(MULTIPLEXED))
def test_multiplexing_waits_in_the_multiplexer_and_not_in_the_read(
    performances: dict[str, Measurement], name: str
) -> None:
    measurement = performances[name]
    process = served(measurement)
    assert waited_ns(process, MULTIPLEXED[name]) >= 0.99 * slept_ns(process)
    assert waited_ns(process, MULTIPLEXED[name]) >= REQUESTS * DELAY_NS
    assert waited_ns(process, "recvfrom") == 0


@pytest.mark.parametrize("name", ["select", "poll", "epoll", "selectors", "event-queue"])
def test_multiplexing_takes_two_calls_a_message_where_blocking_takes_one(
    performances: dict[str, Measurement], name: str
) -> None:
    process = served(performances[name])
    reads = calls_of(process, "recvfrom")
    waits = calls_of(process, MULTIPLEXED[name], kind="")
    assert REQUESTS <= reads <= REQUESTS + _CONNECTION_ENDS
    # One return a read, and one for the accept.
    assert waits == reads + 1
    assert eagain_of(process, "recvfrom") == 0


def test_edge_triggered_reads_until_there_is_no_more(performances: dict[str, Measurement]) -> None:
    process = served(performances["epoll-et"])
    assert loop_of(process).trigger == "edge"
    assert waited_ns(process, "epoll_wait") >= 0.99 * slept_ns(process)
    assert REQUESTS - 1 <= eagain_of(process, "recvfrom") <= REQUESTS + _CONNECTION_ENDS


def test_level_triggered_is_told_apart(performances: dict[str, Measurement]) -> None:
    assert loop_of(served(performances["epoll"])).trigger == "level"
    assert loop_of(served(performances["selectors"])).trigger == "level"


def test_a_signal_comes_for_each_message_and_no_read_waits(
    performances: dict[str, Measurement],
) -> None:
    seen = performances["signal"].figures
    process = served(performances["signal"])
    # One for the accept, one for each message, one when the client leaves.
    assert REQUESTS + 1 <= seen.signals["SIGIO"] <= REQUESTS + 1 + _CONNECTION_ENDS
    assert waited_ns(process, "recvfrom") == 0
    assert waited_ns(process, "rt_sigsuspend") >= 0.99 * slept_ns(process)
    assert seen.pickup is not None
    assert seen.pickup.count == REQUESTS


@_needs_uring
def test_operations_complete_with_no_thread_in_a_read(
    performances: dict[str, Measurement],
) -> None:
    process = served(performances["async-io"])
    (receive,) = (o for o in process.operations if o.op == "recv")
    assert REQUESTS <= receive.count <= REQUESTS + _CONNECTION_ENDS
    assert receive.bytes == performances["async-io"].result.bytes
    assert receive.submit_to_complete_ns is not None
    assert receive.submit_to_complete_ns.p50 > 0.9 * DELAY_NS
    assert not [c for c in process.calls if c.syscall in ("recvfrom", "read", "recvmsg")]


def test_asyncio_copies_in_the_loop_thread(performances: dict[str, Measurement]) -> None:
    process = served(performances["asyncio"])
    (thread,) = process.threads
    copies = [c for c in process.calls if c.copy_ns]
    assert {(c.syscall, c.tid) for c in copies} == {("recvfrom", thread.tid)}


def test_fork_makes_a_process_for_each_request(performances: dict[str, Measurement]) -> None:
    seen = performances["fork"].figures
    assert seen.processes == 1 + REQUESTS
    assert seen.voluntary + seen.involuntary > 2 * REQUESTS
    assert seen.servants == "child"
    assert seen.asleep_in[0] == "recvfrom"


def test_thread_makes_a_thread_for_each_request(performances: dict[str, Measurement]) -> None:
    seen = performances["thread"].figures
    assert seen.threads == 1 + REQUESTS
    assert seen.voluntary + seen.involuntary > 2 * REQUESTS
    assert seen.servants == "thread"
    fork = performances["fork"].figures
    assert seen.cpu_ns < fork.cpu_ns


@pytest.mark.parametrize("name", [model.id for model in MODELS])
def test_a_picture_is_drawn_of_a_request_with_the_known_wait(
    performances: dict[str, Measurement], name: str
) -> None:
    if name not in performances:
        pytest.skip(str(find(name).unavailable()))
    request = typical(performances[name].requests)
    assert request is not None
    # fork and thread have the connection before the client begins its delay.
    assert request.to_ns - request.from_ns > 0.8 * DELAY_NS
    text = "\n".join(draw(request))
    assert "copy 84 bytes" in text
    # Of sockets that no call has touched the tracer knows nothing.
    assert ("data arrives" in text) or name == "async-io"
    assert max(map(len, text.splitlines())) <= 80


def test_the_limit_of_select_is_met_with_a_message(runner: Runner) -> None:
    number = FD_SETSIZE + 77
    # All of them are connected before the first one sends and leaves.
    load = ("--connections", str(number), "--requests", str(number), "--delay-ms", "800")
    with runner.server(find("select")) as server:
        result = server.run_load(load).result
    # Descriptors 0 to 2 are the standard streams, 3 the listener.
    most = FD_SETSIZE - 4
    assert result.requests == most
    assert result.errors["refused"] == number - most
    assert result.refusals == (f"select cannot watch a descriptor above {FD_SETSIZE - 1}",)

"""Descriptors: what each number is, who is at the other end, how long data lay unread."""

from __future__ import annotations

import os
import signal
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from iotrace.engine.probes import Probes
from iotrace.report.model import Descriptor, Process
from iotrace.snapshot import reader, rows
from iotrace.snapshot.totals import ThreadKey
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, descriptor_of, process_of, trace_work, tracing

# programs/descriptors.py
DELAYS, DELAY_NS = 23, 15_000_000
REUSED, SIGIOS, WINCHES = 7, 13, 17
KINDS = {"ipv4": "tcp", "ipv6": "tcp", "unix": "unix", "abstract": "unix", "udp": "udp"}


@pytest.fixture(scope="module")
def addressed() -> Iterator[tuple[Target, Process]]:
    with Target("descriptors.py", "addresses") as target:
        yield target, process_of(trace_work(target), target.pid)


@pytest.mark.parametrize("name", KINDS)
def test_both_ends_have_their_addresses(addressed: tuple[Target, Process], name: str) -> None:
    target, process = addressed
    client_fd, server_fd = target.facts["sockets"][name]["fds"]
    client_name, server_name = target.facts["sockets"][name]["names"]
    client, server = descriptor_of(process, client_fd), descriptor_of(process, server_fd)
    assert (client.kind, server.kind) == (KINDS[name], KINDS[name])
    assert (client.local, client.peer) == (client_name, server_name)
    assert (server.local, server.peer) == (server_name, client_name)
    assert (client.bytes_out, client.bytes_in) == (8, 9)
    assert (server.bytes_in, server.bytes_out) == (8, 9)


@dataclass(frozen=True, slots=True)
class Delayed:
    """A report, and how long data lay as the program itself saw it: (at least, at most)."""

    fds: dict[str, int]
    process: Process
    lay_ns: dict[str, list[tuple[int, int]]]


@pytest.fixture(scope="module")
def delayed() -> Iterator[Delayed]:
    with Target("descriptors.py", "delays") as target:
        process = process_of(trace_work(target), target.pid)
        yield Delayed(target.facts["fds"], process, target.results()["lay"])


@pytest.mark.parametrize("kind", ["tcp", "unix", "udp"])
def test_pickup_delay_is_how_long_data_lay(delayed: Delayed, kind: str) -> None:
    row = descriptor_of(delayed.process, delayed.fds[kind])
    least_ns, most_ns = map(statistics.median, zip(*delayed.lay_ns[kind], strict=True))
    assert row.kind == kind
    assert row.pickup_ns is not None
    # A message taken in four parts is four reads; a peek is none.
    assert row.pickup_ns.count == DELAYS + (4 if kind == "tcp" else 0)
    assert least_ns > DELAY_NS
    assert least_ns * 0.87 < row.pickup_ns.p50 < most_ns * 1.13  # 4 buckets per power of two
    assert row.pickup_ns.max >= DELAY_NS


def test_unread_data_is_dated(delayed: Delayed) -> None:
    assert descriptor_of(delayed.process, delayed.fds["tcp"]).unread_ns is not None
    assert descriptor_of(delayed.process, delayed.fds["unix"]).unread_ns is None


def test_a_number_that_was_several_sockets() -> None:
    with Target("descriptors.py", "reuse") as target:
        report = trace_work(target)
        fd = target.results()["fd"]
    row = descriptor_of(process_of(report, target.pid), fd)
    assert row.opened == REUSED
    sends = REUSED * (REUSED + 1) // 2
    assert (row.calls, row.bytes_out) == (sends, 3 * sends)


def test_signals_are_counted() -> None:
    with Target("descriptors.py", "signals") as target:
        process = process_of(trace_work(target), target.pid)
    counts = {row.signal: (row.tid, row.count) for row in process.signals}
    assert counts == {"SIGIO": (target.pid, SIGIOS), "SIGWINCH": (target.pid, WINCHES)}


def test_a_poll_of_one_descriptor_counts_before_it_returns() -> None:
    with Target("polled.py") as target:
        process = process_of(trace_work(target), target.pid)
        fd = target.facts["fd"]
    (row,) = (one for one in process.descriptors if one.fd == fd)
    _is_the_second_poll_once(process, row)


def test_a_poll_that_returns_while_tables_are_read_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Target("polled.py") as target, tracing(target.pid) as trace:
        target.go()
        target.wait_until_finished()

        def read(probes: Probes, keys: Mapping[int, ThreadKey]) -> Any:
            """The poll is in flight for the threads' records, and over for the descriptors'."""
            os.kill(target.pid, signal.SIGUSR2)
            assert target.read_line() == {"taken": 2}
            return rows.read_calls(probes, keys)

        monkeypatch.setattr(reader, "read_calls", read)
        process = process_of(trace.report(trace.snapshot()), target.pid)
        fd = target.facts["fd"]
    _is_the_second_poll_once(process, descriptor_of(process, fd))


def _is_the_second_poll_once(process: Process, row: Descriptor) -> None:
    """polled.py: the first, of 0.1 s, was before the descriptor had a record; the second takes
    0.4 s at least."""
    waited_ns = row.wait_ns + row.polled_ns
    assert waited_ns > 380_000_000
    first_ns = call_of(process, "poll").wait_ns - waited_ns
    assert 80_000_000 < first_ns < 250_000_000, f"polled {waited_ns} ns: iotrace/snapshot/reader.py"

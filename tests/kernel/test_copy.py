"""Copying is charged as such: more for more data, and whether or not the call had to wait."""

from __future__ import annotations

import fcntl
import socket
import statistics
import struct
import termios
from collections.abc import Iterator

import pytest

from iotrace.report.model import Call, Phase
from iotrace.snapshot.arithmetic import interval
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, process_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import wait_until

SIZES = (4096, 65536, 1048576)
ROUNDS = 7


@pytest.fixture(scope="module", params=["ready", "blocked"])
def copies(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[int, list[Call]]]]:
    """The recvfrom row of every round, by size; the data lay ready before, or came during it."""
    how: str = request.param
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Target("copies.py", listener.getsockname()[1], ROUNDS, *SIZES) as target,
        tracing(target.pid) as trace,
    ):
        peer = listener.accept()[0]
        before = trace.snapshot()
        rows: dict[int, list[Call]] = {size: [] for size in SIZES}
        for size in SIZES:
            for _ in range(ROUNDS):
                if how == "ready":
                    peer.sendall(bytes(size))
                    wait_until(lambda: not _unsent_bytes(peer), "the peer's kernel to have it all")
                target.go()
                if how == "blocked":
                    wait_until(lambda: sleeps_in(target.pid, target.pid, "recvfrom"), "recv")
                    peer.sendall(bytes(size))
                assert peer.recv(1) == b"!"
                wait_until(
                    lambda: sleeps_in(target.pid, target.pid, "rt_sigtimedwait", "pause"),
                    "the round to end",
                )
                now = trace.snapshot()
                report = trace.report(interval(now, before))
                before = now
                rows[size].append(call_of(process_of(report, target.pid), "recvfrom", "tcp"))
        yield how, rows


def _unsent_bytes(sock: socket.socket) -> int:
    """What the peer has not acknowledged (SIOCOUTQ, man tcp(7))."""
    answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", answer)[0])


def test_every_round_is_one_call_of_that_size(copies: tuple[str, dict[int, list[Call]]]) -> None:
    how, rows = copies
    for size in SIZES:
        assert [(row.calls, row.bytes) for row in rows[size]] == [(1, size)] * ROUNDS
        assert [row.wait_ns > 0 for row in rows[size]] == [how == "blocked"] * ROUNDS


def test_histograms_of_waits_and_copies_count_each_call_that_did(
    copies: tuple[str, dict[int, list[Call]]],
) -> None:
    how, rows = copies
    for row in (row for size in SIZES for row in rows[size]):
        assert row.copies_ns is not None
        _is_the_only_one(row.copies_ns, row.copy_ns)
        if how == "blocked":
            assert row.waits_ns is not None
            _is_the_only_one(row.waits_ns, row.wait_ns)
        else:
            assert row.waits_ns is None


def _is_the_only_one(phase: Phase, exact_ns: int) -> None:
    ((low, high, count),) = phase.histogram
    assert (phase.count, count) == (1, 1)
    assert low <= exact_ns < high


def test_copying_more_takes_longer(copies: tuple[str, dict[int, list[Call]]]) -> None:
    _, rows = copies
    small, medium, large = (min(row.copy_ns for row in rows[size]) for size in SIZES)
    assert small > 0
    assert 2 * small < medium
    assert 4 * medium < large
    assert not any(row.copy_estimated for size in SIZES for row in rows[size])


def test_copying_is_most_of_what_a_large_receive_costs(
    copies: tuple[str, dict[int, list[Call]]],
) -> None:
    _, rows = copies
    shares = [row.copy_ns / (row.copy_ns + row.kernel_ns) for row in rows[SIZES[-1]]]
    assert statistics.median(shares) > 0.5

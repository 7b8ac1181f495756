# SPDX-License-Identifier: Apache-2.0
"""IO214: reads at the end of a stream, again and again."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from tests.unit.verdict import made_busy
from tests.unit.verdict.made import S, call, descriptor, findings, thread


def _spins() -> Process:
    (one,) = made_busy.reads_at_end(True)
    return one


def test_a_spin_at_the_end_of_a_pipe_is_told_with_its_rate() -> None:
    found = findings(_spins())
    assert found["IO214"].severity == "high"
    assert found["IO214"].fd == 5
    assert "end of a pipe: 40,000 reads a second return 0 bytes" in found["IO214"].title
    assert "nobody has it open for writing" in found["IO214"].title
    assert "IO133" not in found  # the same CPU time


def test_a_connection_is_named_by_its_peer() -> None:
    reads = call("recvfrom", "tcp", 400_000, bytes=9)
    left = descriptor(6, peer="10.0.0.8:50000", calls=400_001, bytes_in=9)
    found = findings(replace(_spins(), calls=(reads,), descriptors=(left,)))["IO214"]
    assert "end of the connection with 10.0.0.8:50000" in found.title
    assert found.evidence["peer"] == "10.0.0.8:50000"


def test_reads_with_data_errors_and_unknown_bytes_are_none() -> None:
    one = _spins()
    for reads in (
        call("read", "pipe", 400_000, bytes=400_000),
        call("read", "pipe", 400_000, errors={"EAGAIN": 399_990}),
        replace(call("read", "pipe", 400_000), bytes=None),
        call("recvfrom", "udp", 400_000),  # a datagram may be empty
    ):
        assert "IO214" not in findings(replace(one, calls=(reads,)))


def test_the_ends_of_many_connections_are_no_spin() -> None:
    """Health checks that connect and say nothing."""
    reads = call("recvfrom", "tcp", 40_000)
    rows = [descriptor(6, opened=40_000, calls=80_000, bytes_in=0)]
    assert "IO214" not in findings(replace(_spins(), calls=(reads,), descriptors=tuple(rows)))


def test_a_spin_that_costs_little_is_none() -> None:
    quick = replace(thread(user=S // 10, sleep=9 * S), syscalls=400_000)
    assert "IO214" not in findings(replace(_spins(), threads=(quick,)))


def test_the_ends_of_connections_that_have_no_row_are_no_spin() -> None:
    """The table of descriptors was full: of none, or of all but one."""
    reads, accepts = call("recvfrom", "tcp", 40_000), call("accept4", "tcp", 40_000)
    one = replace(_spins(), calls=(reads, accepts))
    for rows in ((), (descriptor(6, calls=2, bytes_in=0),)):
        assert "IO214" not in findings(replace(one, descriptors=rows))
    assert "IO214" in findings(
        replace(_spins(), calls=(reads,), descriptors=(descriptor(6, calls=2, bytes_in=0),))
    )


def test_a_terminal_returns_nothing_while_no_key_is_hit() -> None:
    for kind in ("tty", "pty"):
        row = descriptor(5, kind=kind, local="/dev/pts/0", peer="", calls=400_000, bytes_in=0)
        keys = call("read", "tty", 400_000)
        assert "IO214" not in findings(replace(_spins(), calls=(keys,), descriptors=(row,)))


def test_a_named_pipe_is_one_too() -> None:
    row = descriptor(5, kind="fifo", local="/run/jobs", peer="", calls=400_000, bytes_in=0)
    found = findings(replace(_spins(), descriptors=(row,)))["IO214"]
    assert found.fd == 5

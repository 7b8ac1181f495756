# SPDX-License-Identifier: Apache-2.0
"""IO214: reads at the end of a stream, again and again."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.report.stacks import CpuSample
from tests.unit.verdict import made_busy
from tests.unit.verdict.made import (
    S,
    call,
    descriptor,
    findings,
    in_call,
    judged,
    line_of,
    stack,
    thread,
)


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


_READ = ("lib/site-packages/redis/connection.py:109 Buffer.read", "a.py:9 x")


def _resets() -> Process:
    """Three threads at the ends of three connections that were reset: without a peer."""
    one, tids = _spins(), (700, 701, 702)
    return replace(
        one,
        threads=tuple(
            replace(thread(tid, user=3 * S, kernel=S, runq=6 * S), syscalls=400_000) for tid in tids
        ),
        calls=tuple(call("recvfrom", "tcp", 400_000, tid=tid) for tid in tids),
        descriptors=tuple(
            descriptor(fd, local="", peer="", calls=400_000, bytes_in=0) for fd in (6, 8, 10)
        ),
    )


def test_several_threads_are_one_finding() -> None:
    (found,) = [one for one in judged(_resets()).findings if one.id == "IO214"]
    assert "3 threads spin at the end of 3 tcp connections: 120,000 reads a second" in found.title
    assert "the peer has closed them" in found.title
    assert found.fd is None
    assert found.evidence["threads"] == 3


def test_who_was_most_likely_the_peer_is_read_in_the_same_function() -> None:
    one = _resets()
    spins = CpuSample(700, 50, 3 * S, 0, 0, 0, 1, stack(*_READ))
    reads = in_call("recvfrom", "tcp", *_READ, fd=13)
    kept = descriptor(13, local="127.0.0.1:50000", peer="10.0.0.8:6379", calls=9, bytes_in=90)
    lines = (line_of(reads, 9, S, S),)
    rows = (*one.descriptors, kept)
    one = replace(one, cpu_samples=(spins,), lines=lines, descriptors=rows)
    found = findings(one)["IO214"]
    assert "the peer, most likely 10.0.0.8:6379, has closed them" in found.title
    other = replace(kept, fd=14, peer="10.0.0.9:6379")
    also = replace(lines[0], fd=14)
    two = replace(one, descriptors=(*rows, other), lines=(*lines, also))
    assert "most likely" not in findings(two)["IO214"].title


def test_threads_of_which_some_read_what_is_not_known_are_at_no_one_peer() -> None:
    one = _resets()
    known = descriptor(6, peer="10.0.0.8:6379", calls=400_000, bytes_in=0)
    found = findings(replace(one, descriptors=(known,)))["IO214"]
    assert "3 threads spin at the end of tcp connections: " in found.title
    assert "the peer has closed them" in found.title
    assert not {"peer", "streams"} & found.evidence.keys()
    assert found.fd is None

"""Waits for what is outside of the program: peers, the network, name servers, files, children."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.found import by_rule
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, trace_work

MS = 1_000_000
_SILENT_SERVER = "127.53.53.53"
_LATE_EACH, _LATE_S = 20, 0.2


@contextmanager
def _service() -> Iterator[int]:
    """It answers at once, and each twentieth time late."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for number in range(1, 61):
                connection.recv(1)
                if number % _LATE_EACH == 0:
                    time.sleep(_LATE_S)
                connection.sendall(b"!")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield listener.getsockname()[1]
    thread.join(5)


def test_what_is_waited_for_is_named(tmp_path: Path) -> None:
    """IO150, IO151, IO152 and IO153, each in a thread of one program."""
    with (
        _service() as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent,
    ):
        silent.bind((_SILENT_SERVER, 53))
        with Target("elsewhere.py", port, _SILENT_SERVER, tmp_path) as target:
            report = trace_work(target, children=False)
            process = process_of(report, target.pid)
    found = by_rule(report.findings)
    late = found["IO150"].evidence
    assert (late["peer"], late["late_answers"]) == (f"127.0.0.1:{port}", 3)
    assert 0.1 * 1e9 <= late["late_from_ns"] <= late["longest_ns"]
    lock = found["IO151"].evidence
    assert lock["path"] == str(tmp_path / "state.lock")
    assert lock["waited_ns"] >= 300 * MS
    (waiting,) = process.file_lock_waits
    assert (waiting.call, waiting.path, waiting.holder) == (
        "flock", str(tmp_path / "state.lock"), target.pid,
    )  # fmt: skip
    file = found["IO152"].evidence
    assert file["call"] == "openat"
    assert file["waited_for_files_ns"] >= file["waited_in_it_ns"] >= 3 * 100 * MS
    dns = found["IO153"].evidence
    assert (dns["dns_server"], dns["lookups"]) == (f"{_SILENT_SERVER}:53", 1)
    assert dns["waited_ns"] >= 950 * MS


def test_delays_of_the_network_itself_are_named() -> None:
    """IO154 to IO158, in threads of one program."""
    with Target("network.py") as target:
        report = trace_work(target)
        process = process_of(report, target.pid)
    found = by_rule(one for one in report.findings if one.pid == target.pid)
    nagle = found["IO154"].evidence
    assert 10 <= nagle["waits_of_40_ms"] <= 30
    full = found["IO155"].evidence
    assert full["listener"] == f"127.0.0.1:{target.facts['listener']}"
    # Two are queued, the others are dropped: each at its first SYN, perhaps at a later ACK, too.
    assert full["backlog"] == 1
    assert full["dropped"] >= 3
    closed = found["IO156"].evidence
    assert closed["window_closed_ns"] >= 500 * MS
    assert closed["unsent_bytes"] > 0
    slow = found["IO157"].evidence
    assert 2 <= slow["slow_connects"] <= 3
    assert 900 * MS <= slow["longest_ns"] <= 4_000 * MS
    assert found["IO158"].evidence["waited_ns"] >= 300 * MS
    modes = {one.nodelay for one in process.descriptors if one.kind == "tcp" and one.bytes_out}
    assert modes >= {False, True}


@contextmanager
def _echo() -> Iterator[int]:
    """It answers at once, whatever is asked."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            while connection.recv(1):
                connection.sendall(b"!")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield listener.getsockname()[1]
    thread.join(5)


def test_many_small_round_trips_are_named_and_a_few_are_not() -> None:
    """IO162."""
    for trips, named in ((5_003, True), (53, False)):
        with _echo() as port, Target("round_trips.py", port, trips) as target:
            found = by_rule(trace_work(target, children=False).findings)
        assert ("IO162" in found) is named, found.keys()
        if named:
            evidence = found["IO162"].evidence
            # What was asked before the connection was known is not counted.
            assert 0.95 * trips <= evidence["round_trips"] <= trips
            assert evidence["peer"] == f"127.0.0.1:{port}"


_CUT_OFF_EACH, _CUT_OFF_S = 7, 0.03


@contextmanager
def _hangs_up(size: int) -> Iterator[int]:
    """It answers at once; each seventh query it keeps for a while and closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        number = 0
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(size, socket.MSG_WAITALL):
                        number += 1
                        if number % _CUT_OFF_EACH == 0:
                            time.sleep(_CUT_OFF_S)
                            break
                        connection.sendall(b"!")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_queries_that_are_cut_off_are_counted_and_farewells_are_not() -> None:
    """IO209."""
    queries = 71
    for size, lost in ((65, queries // _CUT_OFF_EACH), (64, 0)):
        with _hangs_up(size) as port, Target("cut_off.py", port, queries, size) as target:
            report = trace_work(target, children=False)
            (row,) = process_of(report, target.pid).upstreams
        assert (row.calls, row.cut_off) == (queries - queries // _CUT_OFF_EACH, lost)
        found = by_rule(report.findings)
        assert ("IO209" in found) is bool(lost)
        if lost:
            assert found["IO209"].evidence["peer"] == f"127.0.0.1:{port}"
            assert 0.9 * _CUT_OFF_S * 1e9 * lost <= row.cut_off_ns <= lost * 300 * MS
            assert "while it had the request" in found["IO209"].title


def test_queues_that_are_full_and_a_queue_that_is_empty(tmp_path: Path) -> None:
    """IO198, IO199, IO200 and IO212, in threads of one program."""
    datagrams, threads = 211, 7
    with Target("full_queues.py", tmp_path, datagrams, threads) as target:
        report = trace_work(target)
        process = process_of(report, target.pid)
    found = by_rule(one for one in report.findings if one.pid == target.pid)
    lost = found["IO198"].evidence
    assert lost["socket"] == f"127.0.0.1:{target.facts['port']}"
    # As many were dropped before the trace.
    assert lost["dropped"] + lost["received"] == datagrams
    assert process.sockets is not None
    assert [one.dropped for one in process.sockets.overflowed] == [lost["dropped"]]
    full = found["IO199"].evidence
    assert (full["socket"], full["connects"]) == (str(tmp_path / "lockd.sock"), 1)
    assert 300 * MS <= full["waited_ns"] <= 2_000 * MS
    empty = found["IO200"].evidence
    assert empty["threads"] == threads
    assert 1 * MS <= empty["mean_wait_ns"] <= 5 * MS
    pipe = found["IO212"].evidence
    assert pipe["calls"] == 2
    assert 300 * MS <= pipe["waited_ns"] <= 2_000 * MS
    assert pipe["longest_ns"] >= 0.9 * pipe["waited_ns"]

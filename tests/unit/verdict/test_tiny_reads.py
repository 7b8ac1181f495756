# SPDX-License-Identifier: Apache-2.0
"""Streams that are read byte by byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Call, Process
from iotrace.report.requests import Requests
from iotrace.report.stacks import CpuSample
from tests.unit.verdict.made import (
    PID,
    Found,
    S,
    call,
    descriptor,
    event_loop,
    findings,
    process,
    stack,
    thread,
)


def _reading(kind: str, reads: int, size: int, filled: int | None = None) -> Found:
    row = call("read", kind, reads, bytes=reads * size, filled=reads if filled is None else filled)
    polls = call("pselect6", kind, reads, wait=4 * S)
    return findings(process([thread(PID, user=5 * S, kernel=S, poll=4 * S)], [row, polls]))


@pytest.mark.parametrize("kind", ["tty", "pipe", "pty"])
def test_a_stream_is_read_one_byte_at_a_time(kind: str) -> None:
    found = _reading(kind, 400_000, 1)["IO110"]
    assert found.title.startswith(f"{kind} read one byte at a time: 40,000 reads a second")
    assert found.evidence["kind"] == kind
    assert "in_waiting" in found.advice


def test_messages_of_other_processes_and_keys_are_read_as_they_come() -> None:
    """multiprocessing reads the length of a message, then the message; a key is a read."""
    assert "IO110" not in _reading("pipe", 400_000, 12)
    assert "IO110" not in _reading("tty", 400, 1)
    assert "IO110" not in _reading("tty", 400_000, 1, filled=0)


def test_of_connections_larger_reads_are_tiny_as_well() -> None:
    found = _reading("tcp", 400_000, 12)["IO110"]
    assert found.title.startswith("Tiny reads")
    assert "tcp read one byte" in _reading("tcp", 400_000, 1)["IO110"].title


@pytest.mark.parametrize("size", [1, 12])
def test_a_few_reads_of_a_connection_do_not_tell_how_pipes_are_read(size: int) -> None:
    """A worker of multiprocessing that has a connection, too."""
    messages = call("read", "pipe", 40_000, bytes=40_000 * 12, filled=40_000)
    asked = call("read", "tcp", 50, bytes=50 * size, filled=50)
    times = thread(PID, user=5 * S, kernel=S, poll=4 * S)
    assert "IO110" not in findings(process([times], [messages, asked]))


def test_a_line_that_is_read_byte_by_byte_is_told_beside_messages() -> None:
    messages = call("read", "pipe", 40_000, bytes=40_000 * 12, filled=40_000)
    bytewise = call("read", "tty", 40_000, bytes=40_000, filled=40_000)
    times = thread(PID, user=5 * S, kernel=S, poll=4 * S)
    found = findings(process([times], [messages, bytewise]))["IO110"]
    assert found.title.startswith("tty read one byte")
    assert found.evidence["reads"] == 40_000


_HANDS_OVER = (
    "lib/concurrent/futures/thread.py:175 ThreadPoolExecutor.submit",
    "lib/asyncio/base_events.py:829 BaseEventLoop.run_in_executor",
    "lib/site-packages/starlette/concurrency.py:41 run_in_threadpool",
    "lib/site-packages/starlette/datastructures.py:456 UploadFile.write",
)


def _served(*calls: Call, wakes: int, requests: int, places: tuple[str, ...]) -> Process:
    """A loop and a thread of its pool that serve so many requests, and wake the loop so often."""
    one = event_loop()
    row = Requests("127.0.0.1:8000", 9, requests, 0, None, None, None, None, None, None)
    frames = stack(*places)
    return replace(
        one,
        threads=(thread(user=3 * S, kernel=S, poll=6 * S), thread(701, user=2 * S, lock=8 * S)),
        calls=(*one.calls, *calls, call("sendto", "unix", wakes, tid=701, bytes=wakes)),
        descriptors=(descriptor(8, bytes_out=50_000_000),),
        requests=(row,) if requests else (),
        cpu_samples=(CpuSample(PID, 300, 3 * S, 0, 0, 0, len(frames) - 1, frames),),
    )


def _writes(size: int, count: int = 10_000, tid: int = 701) -> Call:
    return call("write", "file", count, tid=tid, bytes=count * size)


def test_uploads_that_are_written_in_small_pieces_by_threads() -> None:
    upload = _served(_writes(26_000), wakes=12_000, requests=11, places=_HANDS_OVER)
    assert "written in small pieces" in findings(upload)["IO110"].title


def test_logs_and_small_files_of_requests_are_no_pieces_of_a_file() -> None:
    """Endpoints that run in threads: their answers wake the loop, whatever they write or read."""
    whole = call("read", "file", 20_000, tid=701, bytes=30_000_000, filled=0)
    for healthy in (
        _served(_writes(90), wakes=10_000, requests=10_000, places=_HANDS_OVER),
        _served(_writes(90), wakes=50_000, requests=10_000, places=_HANDS_OVER),
        _served(_writes(8_000), wakes=10_000, requests=10_000, places=_HANDS_OVER),
        _served(_writes(90, tid=PID), wakes=10_000, requests=10_000, places=_HANDS_OVER),
        _served(_writes(90), wakes=10_000, requests=0, places=_HANDS_OVER),  # of WebSockets
        _served(_writes(26_000, tid=PID), wakes=12_000, requests=11, places=_HANDS_OVER),
        _served(_writes(26_000), wakes=12_000, requests=11, places=("app.py:9 main",)),
        _served(whole, wakes=10_000, requests=0, places=_HANDS_OVER),
    ):
        assert "IO110" not in findings(healthy)

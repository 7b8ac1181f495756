# SPDX-License-Identifier: Apache-2.0
"""Streams that are read byte by byte."""

from __future__ import annotations

import pytest

from tests.unit.verdict.made import PID, Found, S, call, findings, process, thread


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

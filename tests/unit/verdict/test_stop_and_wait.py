# SPDX-License-Identifier: Apache-2.0
"""IO205: transfers of which each piece waits for the answer to the one before."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.report.requests import Upstream
from iotrace.report.times import Durations
from tests.unit.verdict import elsewhere
from tests.unit.verdict.made import MS, S, findings, in_call, line_of


def _found(one: Process, **figures: int) -> bool:
    """``figures``: of its connection."""
    rows = tuple(replace(row, **figures) for row in one.descriptors)
    return "IO205" in findings(replace(one, descriptors=rows))


def _timed(one: Process, times: Durations) -> Process:
    (calls,) = one.upstreams
    assert isinstance(calls, Upstream)
    return replace(one, upstreams=(replace(calls, theirs_ns=times),))


def test_a_file_that_is_sent_piece_by_piece_is_told_with_its_rate() -> None:
    (one,) = elsewhere.stop_and_wait(True)
    found = findings(one)["IO205"]
    assert found.severity == "low"  # nobody is known to wait
    assert found.title.startswith("Data goes to 10.0.0.9:22 piece by piece, 200 of about 32 kB")
    assert "640 kB a second" in found.title
    assert found.lines[0].startswith("upload.py:9 send -> poll on 10.0.0.9:22: 200 times")
    fetched = replace(one.descriptors[0], bytes_in=6_400_000, bytes_out=20_000)
    assert findings(replace(one, descriptors=(fetched,)))["IO205"].title.startswith(
        "Data goes from"
    )


def test_questions_large_pieces_and_talks_of_both_sides_are_no_such_transfer() -> None:
    (one,) = elsewhere.stop_and_wait(True)
    assert _found(one)
    assert not _found(one, bytes_out=200_000)  # questions of 1 kB
    assert not _found(one, bytes_out=200_000_000)  # 1 MB each: the way's bandwidth counts
    assert not _found(one, bytes_in=2_000_000)  # both sides have something to say
    assert not _found(one, opened=200)  # requests that have a connection each


def test_answers_that_differ_are_work_and_no_way() -> None:
    (one,) = elsewhere.stop_and_wait(True)
    uneven = Durations(200, 20 * MS, 90 * MS, 200 * MS, 200 * MS, S)
    assert not _found(_timed(one, uneven))
    assert not _found(_timed(one, Durations(200, *(MS,) * 5)))  # and the next is very near
    assert not _found(_timed(one, Durations(20, *(400 * MS,) * 5)))


def test_who_waits_for_the_thread_that_reads_is_named() -> None:
    (one,) = elsewhere.stop_and_wait(True)
    waits = in_call(
        "futex", "", "lib/threading.py:320 Condition.wait",
        "lib/site-packages/paramiko/buffered_pipe.py:160 BufferedPipe.read",
        "lib/site-packages/paramiko/sftp_file.py:208 SFTPFile._write", "upload.py:15 copy",
    )  # fmt: skip
    reads = in_call(
        "poll", "tcp", "lib/site-packages/paramiko/packet.py:301 Packetizer.read_all",
        "lib/threading.py:975 Thread.run", fd=8,
    )  # fmt: skip
    lines = (line_of(reads, 200, 8 * S, 41 * MS, 702), line_of(waits, 199, 7 * S, 41 * MS))
    found = findings(replace(one, lines=lines))["IO205"]
    assert [line.split(" -> ")[0] for line in found.lines] == ["upload.py:15 copy"]

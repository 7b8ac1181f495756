# SPDX-License-Identifier: Apache-2.0
"""Transfers in small pieces, of which each is answered before the next is sent or asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iotrace.report.model import Descriptor
from iotrace.report.requests import Upstream
from iotrace.report.stacks import Line
from iotrace.report.times import Durations
from iotrace.verdict.frames import has_own
from iotrace.verdict.histograms import total_ns
from iotrace.verdict.number_formats import duration, figure, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import asks
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.request_time import whole_of
from iotrace.verdict.rules.rule import Hit, Rule, of_the_same_peer
from iotrace.verdict.upstreams import lines_on
from iotrace.verdict.work_sources import mostly_for_work
from iotrace.vocabulary.calls import LOCKS

LEAST_PIECES = 40
LEAST_ROUND_NS = 5_000_000
"""Half of the answers take so long or longer: on a quicker way the round trips are no matter, or
IO162's."""
EVEN = 1.5
"""Nine of ten take no longer than so many times what half of them do: it is the way there and back,
and not the work of a service, which differs from one request to the next."""
LEAST_PIECE_BYTES, MOST_PIECE_BYTES = 4_096, 262_144
"""On average: less are questions, and of more the way's bandwidth is what takes the time."""
ONE_WAY = 10
"""So many times what goes the other way: data, and what acknowledges or asks for it."""
MOST_CONNECTIONS = 2
"""A transfer has one; requests that each have their own are IO179's."""
WAITED_SHARE = 0.6
"""Of the time traced, or of what requests take, waiting for these answers."""
OF_THE_WAIT = 0.8
"""A line of the program's own that waited for so much of it, though in a lock, waits for them: a
thread of the client's reads the connection (paramiko)."""


@dataclass(frozen=True, slots=True)
class _Transfer:
    """``bytes``: of the data; ``sent``: it goes to the peer."""

    peer: str
    times: Durations
    bytes: int
    sent: bool
    rows: tuple[Descriptor, ...]


def _waiting(profile: ProcessProfile) -> Iterator[Hit]:
    for one in profile.process.upstreams:
        transfer = _transfer(one, profile)
        if transfer is None:
            continue
        waited = total_ns(transfer.times)
        whole = whole_of(waited, profile)
        if waited < WAITED_SHARE * whole.ns:
            continue
        lines = lines_on(profile, transfer.rows)
        if mostly_for_work(lines):
            continue
        pieces = transfer.times.count
        each = transfer.bytes // pieces
        rate = profile.per_second(transfer.bytes)
        yield Hit(
            {
                "peer": transfer.peer,
                "pieces": pieces,
                "bytes_per_piece": each,
                "round_trip_p50_ns": transfer.times.p50,
                "waited_ns": waited,
                "bytes_per_second": round(rate),
            },
            min(waited, profile.wall_ns),
            fd=transfer.rows[0].fd if len(transfer.rows) == 1 else None,
            severity=None if whole.requests else "low",
            lines=waiting_lines(_callers(waited, profile) or lines, profile.process),
            title=f"{_text(transfer)}, {share(waited, whole.ns)} of {whole.name}; that makes "
            f"{figure(rate / 1_000)} kB a second, however fast the network is",
            whole=whole,
        )


def _text(transfer: _Transfer) -> str:
    times = transfer.times
    way, each = "to" if transfer.sent else "from", transfer.bytes / times.count / 1_000
    return (
        f"Data goes {way} {transfer.peer} piece by piece, {times.count:,} of about "
        f"{figure(each)} kB, and each waits for the answer to the one before: a round trip of "
        f"{duration(times.p50)} each"
    )


def _transfer(one: Upstream, profile: ProcessProfile) -> _Transfer | None:
    times = one.theirs_ns
    rows = tuple(row for row in profile.outgoing() if row.peer == one.peer)
    if times is None or one.kind != "tcp" or one.in_flight_max != 1 or not rows:
        return None
    if times.count < LEAST_PIECES or times.p50 < LEAST_ROUND_NS or times.p90 > EVEN * times.p50:
        return None
    sent = sum(row.bytes_out or 0 for row in rows)
    came = sum(row.bytes_in or 0 for row in rows)
    data, other = max(sent, came), min(sent, came)
    if not LEAST_PIECE_BYTES <= data / times.count <= MOST_PIECE_BYTES or data < ONE_WAY * other:
        return None
    if sum(max(1, row.opened) for row in rows) > MOST_CONNECTIONS:
        return None
    return _Transfer(one.peer, times, data, sent > came, rows)


def _callers(waited: int, profile: ProcessProfile) -> Sequence[Line]:
    """Where the program's own code waits for another thread of the client, as long as that does
    for the answers."""
    return [
        line
        for line in profile.process.lines
        if line.syscall in LOCKS
        and has_own(line.stack)
        and asks(line.stack)
        and line.wait_ns >= OF_THE_WAIT * min(waited, _known(line.tid, profile))
    ]


def _known(tid: int, profile: ProcessProfile) -> int:
    """What the lines of a thread tell of its waits: stacks are kept only some time after the trace
    has begun."""
    return sum(one.wait_ns for one in profile.process.lines if one.tid == tid)


WAITS = Rule(
    "IO205",
    "A transfer waits for each piece to be answered",
    "Have several pieces under way at once: SFTP with pipelined writes (paramiko: "
    "SFTPFile.set_pipelined(True), putfo()) and prefetch() for reads; multipart transfers with "
    "several parts at a time (boto3: TransferConfig(max_concurrency=...)). Or make the pieces "
    "larger, up to what the protocol allows.",
    _waiting,
    explains={"IO119": of_the_same_peer},
)

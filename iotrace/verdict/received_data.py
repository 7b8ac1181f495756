# SPDX-License-Identifier: Apache-2.0
"""Slow requests that receive much of a service: half of their time is its client's on a CPU, and
half waits for more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.report.requests import RequestTier
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.request_time import service_of

MEGABYTE = 1_000_000
LARGE_BYTES = 10 * MEGABYTE
"""Of a service's answers, for each request: more than a page shows. How much of it the slow ones
had nothing tells: they count as all others, or have what the others had no time to receive."""
FASTEST_BYTES_PER_NS = 10
"""10 GB/s: as fast as memory is copied."""
RECEIVING_NS_PER_BYTE = 10
"""Of CPU time, that a client's library takes to receive data and to keep it: some nanoseconds."""
_FOR_DATA = ("recv", "poll")


@dataclass(frozen=True, slots=True)
class Received:
    """``each_bytes``: of the peer's answers, for each of the requests; ``likely``: of those
    alone that are slow, less what the quick ones may have had. ``waited_ns``: for more."""

    peer: str
    each_bytes: int
    waited_ns: int
    likely: bool = False

    @property
    def words(self) -> str:
        """ "163 MB for each came from 10.0.0.9:5432"."""
        likely = "most likely " if self.likely else ""
        return f"{likely}{self.each_bytes / MEGABYTE:,.0f} MB for each came from {self.peer}"


def received_by(
    slow: Sequence[RequestTier], on_cpu_ns: int, profile: ProcessProfile
) -> Received | None:
    """What slow requests received of the one peer that sent most, if that was much, and if they
    were on a CPU for no longer than it takes."""
    count = sum(one.count for one in slow)
    requests = max(count, sum(row.exchanges for row in profile.process.requests))
    by_peer = Counter[str]()
    for one in profile.outgoing():
        by_peer[one.peer] += one.bytes_in or 0
    ((peer, total),) = by_peer.most_common(1) or [("", 0)]
    known, service = service_of(profile)
    quick_ns = service.total() - sum(sum(one.service_ns.values()) for one in slow)
    left = total - FASTEST_BYTES_PER_NS * max(0, quick_ns)
    average = total // max(1, requests)
    each = max(average, left // max(1, count) if known >= requests else 0)
    if not count or each < LARGE_BYTES or on_cpu_ns > RECEIVING_NS_PER_BYTE * each * count:
        return None
    waited_ns = sum(one.service_ns.get(state, 0) for one in slow for state in _FOR_DATA)
    return Received(peer, each, waited_ns, each > average)


FETCH_LESS = (
    "Fetch less: a query with LIMIT, with only the columns and rows that are shown, or the sum "
    "made by the database. Client libraries of databases receive all of a result before the first "
    "row is there: a server-side cursor gives it by parts (psycopg: cursor(name=...); SQLAlchemy: "
    "yield_per). Large files: stream them, or let the client fetch them itself."
)

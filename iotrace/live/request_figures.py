# SPDX-License-Identifier: Apache-2.0
"""Requests and calls upstream at one moment: a part of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.report.model import Durations, Report
from iotrace.report.request_profile import main_part, slowest, typical
from iotrace.report.requests import Requests


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A listener in the last interval. ``times`` None: nothing was answered, or it is not known.

    ``owed`` requests are not answered now, the oldest for ``oldest_ns``. ``slow``: the part and the
    state that most of the slowest requests' time was in (of all, where all are alike), "": there
    were none; ``slow_share``: of that time.
    """

    pid: int
    listener: str
    per_s: float
    times: Durations | None
    owed: int
    oldest_ns: int | None
    slow: str
    slow_share: float


@dataclass(frozen=True, slots=True)
class UpstreamRow:
    """A peer in the last interval. ``theirs`` and ``pickup`` None: it answered nothing."""

    pid: int
    peer: str
    per_s: float
    theirs: Durations | None
    pickup: Durations | None
    owed: int
    oldest_ns: int | None


def request_rows(whole: Report, part: Report, seconds: float) -> Iterator[RequestRow]:
    """Of all listeners that the trace knows, the busiest first."""
    recent = {
        (process.pid, row.listener): row for process in part.processes for row in process.requests
    }
    for process in whole.processes:
        for row in process.requests:
            now = recent.get((process.pid, row.listener))
            if now is None:
                yield RequestRow(process.pid, row.listener, 0.0, None, 0, None, "", 0.0)
            else:
                yield _row(process.pid, now, seconds)


def _row(pid: int, now: Requests, seconds: float) -> RequestRow:
    tier = slowest(now) or typical(now)
    part, state, share = main_part(tier) if tier else ("", "", 0.0)
    return RequestRow(
        pid=pid,
        listener=now.listener,
        per_s=now.exchanges / seconds if seconds > 0 else 0.0,
        times=now.latency_ns,
        owed=now.unanswered,
        oldest_ns=now.oldest_unanswered_ns,
        slow=f"{part} {state}".rstrip(),
        slow_share=share,
    )


def upstream_rows(whole: Report, part: Report, seconds: float) -> Iterator[UpstreamRow]:
    """Of all peers that the trace knows, the costliest first."""
    recent = {
        (process.pid, row.peer): row for process in part.processes for row in process.upstreams
    }
    for process in whole.processes:
        for row in process.upstreams:
            now = recent.get((process.pid, row.peer))
            if now is None:
                yield UpstreamRow(process.pid, row.peer, 0.0, None, None, 0, None)
            else:
                yield UpstreamRow(
                    pid=process.pid,
                    peer=row.peer,
                    per_s=now.calls / seconds if seconds > 0 else 0.0,
                    theirs=now.theirs_ns,
                    pickup=now.pickup_ns,
                    owed=now.unanswered,
                    oldest_ns=now.oldest_unanswered_ns,
                )

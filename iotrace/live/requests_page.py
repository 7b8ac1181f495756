# SPDX-License-Identifier: Apache-2.0
"""The page of requests: a line a listener, and below a line for each peer that is called."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.live import ordering
from iotrace.live.cells import NONE, pid, rate, time
from iotrace.live.page_rows import Picture
from iotrace.live.request_figures import RequestRow, UpstreamRow
from iotrace.live.styled_lines import Line, figures, span, table, texts
from iotrace.output.text import wrap
from iotrace.output.units import format_count, format_percent
from iotrace.report.model import Durations

_NOTE = (
    "In the last interval: from the arrival of a request to the answer's first byte, and where the "
    "slowest of them were."
)


def requests(picture: Picture, order: str, room: int) -> list[Line]:
    """Rate, p50, p99 and max; what is owed now; where the slow ones are."""
    rows = ordering.ordered(picture.requests, ordering.REQUESTS, order)
    note: list[Line] = [[(one, "faint")] for one in wrap(_NOTE, room)]
    if picture.no_requests:
        return [*note, [], [span(f"n/a: {picture.no_requests}", "")]]
    if not rows and not picture.upstreams:
        return [*note, [], [("No request has been answered so far.", "faint")]]
    lines = [*note, *(_listeners(rows, order, room) if rows else [])]
    if picture.upstreams:
        heading: Line = [("Calls upstream: their time, and our pickup of the answer", "faint")]
        lines += [[], heading, *_peers(picture.upstreams, room)]
    return lines


def _listeners(rows: Sequence[RequestRow], order: str, room: int) -> list[Line]:
    return table(
        [
            *pid([row.pid for row in rows]),
            texts("listener", [(row.listener,) for row in rows], least=14),
            figures("req/s", [rate(row.per_s) for row in rows], by=order == "requests"),
            *(
                figures(name, _times([row.times for row in rows], name), by=order == name)
                for name in ("p50", "p99", "max")
            ),
            figures("owed", [_owed(row) for row in rows], by=order == "owed", spare=1),
            texts("slowest: most in", [_slow(row) for row in rows], least=16),
        ],
        room,
    )


def _peers(rows: Sequence[UpstreamRow], room: int) -> list[Line]:
    theirs, pickups = [row.theirs for row in rows], [row.pickup for row in rows]
    return table(
        [
            *pid([row.pid for row in rows]),
            texts("peer", [(row.peer,) for row in rows], least=14),
            figures("calls/s", [rate(row.per_s) for row in rows]),
            figures("theirs p50", _times(theirs, "p50")),
            figures("p99", _times(theirs, "p99")),
            figures("pickup p50", _times(pickups, "p50"), spare=2),
            figures("p99", _times(pickups, "p99")),
            figures("owed", [_owed(row) for row in rows], spare=1),
        ],
        room,
    )


def _times(times: Sequence[Durations | None], name: str) -> list[str]:
    return [time(getattr(one, name) if one else None) for one in times]


def _owed(row: RequestRow | UpstreamRow) -> str:
    return f"{format_count(row.owed)} ({time(row.oldest_ns)})" if row.owed else NONE


def _slow(row: RequestRow) -> tuple[str, ...]:
    if not row.slow:
        return (NONE,)
    return f"{row.slow} {format_percent(row.slow_share, 1.0)}", row.slow


def in_short(row: RequestRow) -> str:
    """One listener in a line."""
    told = f"{row.listener}: {rate(row.per_s)} req/s"
    if row.times:
        told += f", p50 {time(row.times.p50)}, p99 {time(row.times.p99)}"
    if row.slow:
        told += f"; slowest in {row.slow}"
    if row.owed:
        told += f", {format_count(row.owed)} owed, for {time(row.oldest_ns)}"
    return told

# SPDX-License-Identifier: Apache-2.0
"""Answers that come bit by bit and do not end, while the program waits for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iotrace.report.model import Descriptor
from iotrace.report.stacks import Line
from iotrace.verdict.frames import library_frames, short_name
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import asks
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, covers, of_the_same_peer
from iotrace.verdict.stuck import long_ns
from iotrace.verdict.upstreams import lines_on
from iotrace.verdict.work_sources import mostly_for_work
from iotrace.vocabulary.calls import FAMILIES, READS

ALL_ALONG_SHARE = 0.9
"""Of the time traced, asleep until more of the answer comes: it is what the thread does."""
LEAST_PIECES = 5
"""Reads that waited and got something: fewer are an answer that is late."""
SLOW_BYTES_PER_S = 64 * 1024
"""What comes faster is a large answer, on a slow network at worst; sound has 16 to 40 KB a second.
"""
_BY_PIECES = re.compile(
    r"iter|stream|read|recv|receive|next|line|listen|message|event|notif|consum|poll|subscri|watch"
    r"|tail|follow|run_forever|download|copy",
    re.IGNORECASE,
)
"""Functions of libraries that give what has come so far: the program looks at each piece itself."""


def _endless(profile: ProcessProfile) -> Iterator[Hit]:
    by_peer: dict[str, list[tuple[Descriptor, list[Line]]]] = {}
    for row in profile.outgoing():
        lines = [one for one in lines_on(profile, [row]) if one.wait_ns and _waits_for_all(one)]
        if lines and _trickles(row, lines, profile):
            by_peer.setdefault(row.peer, []).append((row, lines))
    for peer, found in by_peer.items():
        rows = [row for row, _ in found]
        yield _hit(peer, rows, [one for _, lines in found for one in lines], profile)


def _trickles(row: Descriptor, lines: Sequence[Line], profile: ProcessProfile) -> bool:
    """Nothing was sent there: what comes belongs to one answer, which had begun before."""
    waited = row.wait_ns + row.polled_ns
    return (
        row.kind == "tcp"
        and not row.bytes_out
        and (row.calls or 0) >= LEAST_PIECES
        and 0 < (row.bytes_in or 0) <= SLOW_BYTES_PER_S * profile.wall_ns / 1e9
        and waited >= max(long_ns(profile), ALL_ALONG_SHARE * profile.wall_ns)
        and not mostly_for_work(lines)
    )


def _waits_for_all(line: Line) -> bool:
    """A client's function that the program calls returns with all of the answer."""
    if line.syscall not in READS and line.syscall not in FAMILIES:
        return False
    library = library_frames(line.stack)
    if not library or len(library) == len(line.stack) or not asks(line.stack):
        return False
    return not _BY_PIECES.search(short_name(library[-1]))


def _hit(
    peer: str, rows: Sequence[Descriptor], lines: Sequence[Line], profile: ProcessProfile
) -> Hit:
    received = sum(row.bytes_in or 0 for row in rows)
    pieces = sum(row.calls or 0 for row in rows)
    waited = max(row.wait_ns + row.polled_ns for row in rows)
    per_second = round(received / len(rows) / (profile.wall_ns / 1e9))
    answers = "An answer" if len(rows) == 1 else f"{len(rows)} answers"
    has, it = ("has", "it comes") if len(rows) == 1 else ("have", "they come")
    return Hit(
        {
            "peer": peer,
            "answers": len(rows),
            "received_bytes": received,
            "bytes_per_second": per_second,
            "waited_ns": waited,
        },
        waited,
        fd=rows[0].fd if len(rows) == 1 else None,
        severity="high",
        lines=waiting_lines(lines, profile.process),
        title=f"{answers} of {peer} {has} not ended in {duration(profile.wall_ns)}: {it} bit by "
        f"bit, in {plural(pieces, 'piece')} with {per_second:,} bytes a second, and the program "
        "waits for all of it",
    )


ENDLESS = Rule(
    "IO195",
    "An answer does not end: it comes bit by bit",
    "A timeout of a client is for each wait, and each piece begins it anew: it never runs out. See "
    "what the peer sends (a stream of audio, video or events has no end; a proxy or a slow disk "
    "may take minutes). Limit the whole: read by pieces (requests: stream=True and iter_content; "
    "httpx: client.stream), stop after so many bytes or seconds; asyncio: asyncio.timeout around "
    "all of it. Ask with HEAD where only the headers matter.",
    _endless,
    explains={"IO104": covers, "IO119": of_the_same_peer},
    rank=Rank.STUCK,
)

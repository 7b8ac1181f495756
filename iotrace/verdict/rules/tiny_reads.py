# SPDX-License-Identifier: Apache-2.0
"""Many reads where one would do."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.vocabulary.calls import READS

FILLED_SHARE = 0.8
"""Of the reads that return as much as they asked for: there was more to take."""
SMALL_BYTES = 4096
"""A mean read below it is small; a page is the least that a socket buffer holds."""
GOOD_BYTES = 65536
"""What one read could have taken: asyncio and http.server ask for 64 KiB."""
LEAST_PER_SECOND = 200
CPU_SHARE = 0.05


def _tiny(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.threads.items():
        rows = [one for one in profile.calls[tid] if one.syscall in READS and one.kind == "tcp"]
        good = sum((one.calls or 0) - sum((one.errors or {}).values()) for one in rows)
        total, filled = (
            sum(one.bytes or 0 for one in rows),
            sum(one.filled or 0 for one in rows),
        )
        if not good or not total:
            continue
        needed = max(1, -(-total // GOOD_BYTES))
        cost = int(seen.cpu_ns * (good - needed) / max(1, seen.syscalls))
        if (
            total / good < SMALL_BYTES
            and filled >= FILLED_SHARE * good
            and profile.per_second(good) >= LEAST_PER_SECOND
            and cost >= CPU_SHARE * profile.wall_ns
        ):
            yield Hit(
                {
                    "reads": good,
                    "mean_read_bytes": total // good,
                    "reads_per_kib": round(good / (total / 1024), 2),
                    "filled_ratio": round(filled / good, 3),
                    "cpu_ns": cost,
                },
                cost,
                tid,
            )


TINY = Rule(
    "IO110",
    "Tiny reads: the buffer is always filled, many calls a kilobyte",
    "Read with a larger buffer (recv(65536), sock.makefile('rb') or asyncio streams) and cut the "
    "messages out of it in the program.",
    _tiny,
)

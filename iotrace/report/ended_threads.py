# SPDX-License-Identifier: Apache-2.0
"""Threads that lived for a moment, as one row: a server that makes one for each request has
hundreds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from iotrace.report.rows import States, Switches, Thread

BRIEF_SHARE = 0.05
"""Of the longest life of a thread of the process, that a brief one has at most."""
_NUMBER = re.compile(r"\d+")
""" "Thread-9", "ThreadPoolExecutor-0_3"."""
LEAST_ALIKE = 5
"""Fewer are told one by one."""


def brief_together(threads: Sequence[Thread]) -> tuple[Thread, ...]:
    """The same rows; of each name (numbers aside), threads that ended and were brief are one row,
    as are those that were added up already. Its figures are their sums, ``count`` how many."""
    longest = max((row.lifetime_ns for row in threads if row.count == 1), default=0)
    brief: dict[str, list[Thread]] = {}
    for row in threads:
        ended = row.ended_ns is not None or row.count > 1
        if ended and row.lifetime_ns <= BRIEF_SHARE * longest * row.count:
            brief.setdefault(_NUMBER.sub("", row.name), []).append(row)
    groups = {
        name: rows for name, rows in brief.items() if sum(one.count for one in rows) >= LEAST_ALIKE
    }
    gone = {id(row) for rows in groups.values() for row in rows}
    return (*(row for row in threads if id(row) not in gone), *map(_sum, groups.values()))


def _sum(rows: Sequence[Thread]) -> Thread:
    states = [row.states_ns for row in rows]
    waits = Counter[str]()
    for one in states:
        waits.update(one.wait)
    return replace(
        rows[0],
        tid=0,
        lifetime_ns=sum(row.lifetime_ns for row in rows),
        states_ns=States(
            user=_known(one.user for one in states),
            kernel=_known(one.kernel for one in states),
            copy=_known(one.copy for one in states),
            runq=sum(one.runq for one in states),
            unaccounted=sum(one.unaccounted for one in states),
            wait=dict(waits),
            cpu=_known(one.cpu for one in states),
        ),
        switches=Switches(
            sum(row.switches.voluntary for row in rows),
            sum(row.switches.involuntary for row in rows),
        ),
        syscalls=_known(row.syscalls for row in rows),
        model=None,
        started_ns=min(row.started_ns for row in rows),
        ended_ns=max(row.ended_ns or 0 for row in rows),
        count=sum(row.count for row in rows),
        in_call=None,
        idle_ns=_idle(rows),
        requests=_known(row.requests for row in rows),
    )


def _known(figures: Iterable[int | None]) -> int | None:
    """The sum of those that are known; None where none is."""
    known = [one for one in figures if one is not None]
    return sum(known) if known else None


def _idle(rows: Iterable[Thread]) -> dict[str, int] | None:
    total = Counter[str]()
    for row in rows:
        if row.idle_ns is None:
            return None
        total.update(row.idle_ns)
    return dict(total)

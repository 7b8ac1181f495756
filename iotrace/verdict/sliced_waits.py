# SPDX-License-Identifier: Apache-2.0
"""Waits for one answer that are cut into slices.

Some libraries poll a connection for a tenth of a second or half of one, again and again, to look at
a deadline or at signals in between (psycopg, pymongo): no call of theirs takes long.
"""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.report.stacks import InCall
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.vocabulary.calls import FAMILIES
from iotrace.vocabulary.kinds import SOCKETS

SPENT_SHARE = 0.8
"""Of the time that a query has had no answer, in polls of its connection: they are for that."""


@dataclass(frozen=True, slots=True)
class Slices:
    """A wait of ``held_ns``, in so many ``polls``. ``all_along``: the thread has made no others."""

    held_ns: int
    polls: int
    all_along: bool


def slices_of(tid: int, call: InCall, profile: ProcessProfile) -> Slices | None:
    """The wait that the poll is a part of, of one connection by itself. None: it is not known to be
    (an answer came in between, several are watched, lesser details)."""
    if call.syscall not in FAMILIES or call.kind not in SOCKETS or not call.peer:
        return None
    return _all_in_vain(tid, call, profile) or _for_the_only_query(tid, call, profile)


def _all_in_vain(tid: int, call: InCall, profile: ProcessProfile) -> Slices | None:
    """All that the thread has polled is this connection, and each poll has timed out."""
    rows = [row for row in profile.process.loops if row.tid == tid]
    if len(rows) != 1 or rows[0].multiplexer != call.syscall or rows[0].watched != 1:
        return None
    (row,) = rows
    if not row.timeouts or row.timeouts != row.iterations:
        return None
    return Slices(row.wait_ns, row.timeouts, all_along=True)


def _for_the_only_query(tid: int, call: InCall, profile: ProcessProfile) -> Slices | None:
    """The peer owes one answer, and this thread alone waits for the peer: since it was asked."""
    owed = [one for one in profile.process.upstreams if one.peer == call.peer]
    there = [row.tid for row in profile.process.threads if row.in_call and _on(row.in_call, call)]
    if len(owed) != 1 or owed[0].unanswered != 1 or there != [tid]:
        return None
    since = owed[0].oldest_unanswered_ns or 0
    rows = [
        row
        for row in profile.process.lines
        if row.tid == tid and row.syscall == call.syscall and row.fd == call.fd and row.stack
    ]
    most = max(rows, key=lambda row: row.wait_ns, default=None)
    if most is None or most.calls < 2 or most.wait_ns < SPENT_SHARE * since:
        return None
    return Slices(since, most.calls, all_along=False)


def _on(one: InCall, call: InCall) -> bool:
    return one.peer == call.peer

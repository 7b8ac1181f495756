# SPDX-License-Identifier: Apache-2.0
"""Waits for one answer that are cut into slices.

Some libraries poll a connection for a tenth of a second or half of one, again and again, to look at
a deadline or at signals in between (psycopg, pymongo): no call of theirs takes long.
"""

from __future__ import annotations

from iotrace.report.event_loops import Loop
from iotrace.report.stacks import InCall
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.vocabulary.calls import FAMILIES
from iotrace.vocabulary.kinds import SOCKETS


def polls_in_vain(tid: int, call: InCall, profile: ProcessProfile) -> Loop | None:
    """All that a thread has polled, where that is the one connection of the call that it is in, and
    each poll has timed out. None: something came, or it is not known (lesser details)."""
    rows = [row for row in profile.process.loops if row.tid == tid]
    if call.syscall not in FAMILIES or call.kind not in SOCKETS or not call.peer or len(rows) != 1:
        return None
    (row,) = rows
    alone = row.multiplexer == call.syscall and row.watched == 1
    return row if alone and row.timeouts and row.timeouts == row.iterations else None

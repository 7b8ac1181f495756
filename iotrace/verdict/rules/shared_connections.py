# SPDX-License-Identifier: Apache-2.0
"""Connections that several processes use: made before one was forked from the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.model import Descriptor
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, of_the_same_peer
from iotrace.verdict.upstreams import lines_on

LEAST_CALLS = 5
"""Of each process on the connection: what only looks at it, or closes it, does not use it."""
MOST_NAMED = 3


def _shared(profile: ProcessProfile) -> Iterator[Hit]:
    own = _used(profile)
    others = [*profile.siblings, *profile.children]
    if profile.parent is not None:
        others.append(profile.parent)
    using = {one.process.pid: _used(one).keys() & own.keys() for one in others}
    using = {pid: found for pid, found in using.items() if pid and found}
    if using:
        ends = sorted({one for found in using.values() for one in found})
        yield _hit(profile, [own[one] for one in ends], sorted([profile.process.pid, *using]))


def _used(profile: ProcessProfile) -> dict[tuple[str, str], Descriptor]:
    """By both of its addresses each TCP connection that it reads and writes, and has not accepted.
    A number that was used for several has the addresses of the last one: another process may have
    had that one's port before."""
    return {
        (one.local, one.peer): one
        for one in profile.outgoing()
        if one.local
        and one.peer
        and one.opened <= 1
        and (one.calls or 0) >= LEAST_CALLS
        and one.bytes_in
        and one.bytes_out
    }


def _hit(profile: ProcessProfile, rows: Sequence[Descriptor], pids: Sequence[int]) -> Hit:
    peers = dict.fromkeys(one.peer for one in rows)
    named = ", ".join(list(peers)[:MOST_NAMED]) + (", ..." if len(peers) > MOST_NAMED else "")
    verb = "is" if len(rows) == 1 else "are"
    return Hit(
        {
            "peer": rows[0].peer,
            "connection": f"{rows[0].local} to {rows[0].peer}",
            "connections": len(rows),
            "used_by": ", ".join(map(str, pids)),
        },
        sum(one.wait_ns + one.polled_ns for one in rows),
        severity="high",
        lines=waiting_lines(lines_on(profile, rows), profile.process),
        title=f"{plural(len(rows), 'connection')} to {named} {verb} used by {len(pids)} processes: "
        "most likely made before the fork (preload?), and inherited. Each can read what is meant "
        "for another",
    )


SHARED = Rule(
    "IO204",
    "Several processes use a connection that was made before a fork",
    "A connection is one stream of bytes: an answer goes to the process that happens to read it. "
    "That gives errors of the protocol (lost synchronization, packet sequence, bad record MAC), "
    "other people's results, and waits for an answer that somebody else has taken. "
    "Make connections, pools and clients in each process after the fork: gunicorn's post_fork hook "
    "or no --preload, uWSGI's postfork or lazy-apps, celery's worker_process_init, an initializer "
    "of the process pool; or at the first use. SQLAlchemy: engine.dispose(close=False) in the "
    "child. A pool whose threads look after it (psycopg_pool) has none of them in the child, and "
    "makes no new connections there.",
    _shared,
    explains={"IO119": of_the_same_peer, "IO143": always},
    rank=Rank.STUCK,
    shared="connection",
)

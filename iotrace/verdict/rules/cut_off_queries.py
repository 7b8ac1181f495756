# SPDX-License-Identifier: Apache-2.0
"""Queries that get no answer, as their connection is at its end: the peer has closed it."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.requests import Upstream as Calls
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.upstreams import upstreams
from iotrace.vocabulary.kinds import Kind

LEAST = 5
"""While it was traced: once all of a peer's connections may end, where that is started anew."""
LEAST_SHARE = 0.01
"""Of the queries,"""
MOST_SHARE = 0.5
"""and no more: what answers less is no peer that gives answers (logs that are sent to it)."""
KEPT_SHARE = 0.5
"""Of the queries, so many connections at most: they are kept, and some are idle for a while."""

_UNIX = Kind.UNIX.label
"""How many of these were made is not counted."""


def _cut_off(profile: ProcessProfile) -> Iterator[Hit]:
    known = {one.peer: one for one in upstreams(profile)}
    for calls in profile.process.upstreams:
        asked = calls.calls + calls.cut_off
        if calls.cut_off < LEAST or not LEAST_SHARE <= calls.cut_off / asked <= MOST_SHARE:
            continue
        after_ns = calls.cut_off_ns // calls.cut_off
        sooner = calls.theirs_ns is not None and after_ns <= calls.theirs_ns.p50
        made = calls.connect_ns.count if calls.connect_ns else 0
        kept = calls.kind != _UNIX and made <= KEPT_SHARE * asked
        idle = sooner and kept
        upstream = known.get(calls.peer)
        yield Hit(
            {
                "peer": calls.peer,
                "cut_off": calls.cut_off,
                "answered": calls.calls,
                "cut_off_per_second": round(profile.per_second(calls.cut_off), 2),
                "ended_after_ns": after_ns,
                **({"usual_answer_ns": calls.theirs_ns.p50} if calls.theirs_ns else {}),
            },
            None,
            severity="medium",
            lines=waiting_lines(upstream.lines, profile.process) if upstream else (),
            title=f"{_what(calls, asked)} instead, {duration(after_ns)} later on average"
            + (_IDLE if idle else "" if sooner else _AT_WORK),
            advice="" if idle else _WHILE_AT_WORK,
        )


def _what(calls: Calls, asked: int) -> str:
    return (
        f"Requests are lost: {calls.cut_off:,} of {plural(asked, 'request')} to {calls.peer} "
        f"({share(calls.cut_off, asked)}) got no answer, it closed the connection"
    )


_IDLE = (
    ", sooner than it answers: most likely it closes kept connections that are idle, and the "
    "request came when it just had"
)
_AT_WORK = ", so most likely while it had the request"
_WHILE_AT_WORK = (
    "See the peer's log of that time: a worker that was ended or replaced, a timeout of its own or "
    "of a proxy in between, a limit. Until then try again what may be done twice (urllib3: Retry)."
)
CUT_OFF = Rule(
    "IO209",
    "Requests are lost: the peer hangs up instead of answering",
    "Have the client drop idle connections sooner than the peer does (httpx: Limits("
    "keepalive_expiry=...), aiohttp: TCPConnector(keepalive_timeout=...), SQLAlchemy: "
    "pool_recycle; requests and urllib3 keep them for ever), or the peer and each load balancer "
    "keep them for longer. Try again what may be done twice (urllib3: Retry).",
    _cut_off,
)

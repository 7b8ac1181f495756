# SPDX-License-Identifier: Apache-2.0
"""Connections that are made for one call or a few and then closed: each takes time to be made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iotrace.report.requests import Upstream as Calls
from iotrace.report.stacks import Frame
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import library_frames, short_name
from iotrace.verdict.python_lines import busy_lines, waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, covers
from iotrace.verdict.upstreams import Upstream, upstreams
from iotrace.vocabulary.calls import CONNECTS, FAMILIES

LEAST_MADE = 10
"""Connections to one peer while it was traced,"""
MADE_PER_SECOND = 1.0
"""which go on to be made;"""
CONNECTING_SHARE = 0.25
"""of the time that threads wait for this peer, or compute for its connections, for making them,"""
CPU_SHARE = 0.25
"""or of the CPU time that the program takes;"""
LEAST_SHARE = 0.1
"""and of the time traced, together."""
_MAKES = re.compile(
    r"^_*(?:(?:\w+_)?connect(?:_\w+)?|do_handshake|handshake|new_conn(?:ection)?|wrap_socket"
    r"|ssl_wrap_socket\w*|create_default_context|load_verify_locations)$"
)


def _made_anew(profile: ProcessProfile) -> Iterator[Hit]:
    made = {one.peer: one for one in profile.process.upstreams if _is_made_often(one, profile)}
    found = [one for one in upstreams(profile) if one.peer in made]
    most = max(found, key=lambda one: _made(made[one.peer]), default=None)
    for one in found:
        hit = _hit(one, made[one.peer], one is most, profile)
        if hit is not None:
            yield hit


def _made(calls: Calls) -> int:
    return calls.connect_ns.count if calls.connect_ns else 0


def _is_made_often(calls: Calls, profile: ProcessProfile) -> bool:
    made = _made(calls)
    return (
        made >= LEAST_MADE
        and made > calls.connect_errors
        and profile.per_second(made) >= MADE_PER_SECOND
    )


def _hit(peer: Upstream, calls: Calls, most: bool, profile: ProcessProfile) -> Hit | None:
    """``most``: to this peer most connections are made: what cannot be told whose it is counts for
    it: CPU time, and waits in multiplexers that a driver makes for one wait."""
    making = [one for one in profile.process.lines if one.syscall in CONNECTS or _makes(one.stack)]
    elsewhere = [one for one in making if most and one.fd is None and one.syscall in FAMILIES]
    lines = [one for one in making if one in peer.lines or one in elsewhere]
    computed = _computed_ns(profile) if most else 0
    waited = sum(one.wait_ns for one in lines)
    spent = waited + computed
    whole = peer.waited_ns + sum(one.wait_ns for one in elsewhere) + computed
    dear = spent >= CONNECTING_SHARE * whole or computed >= CPU_SHARE * profile.total.cpu_ns
    if not dear or spent < LEAST_SHARE * profile.wall_ns:
        return None
    made = _made(calls)
    return Hit(
        {
            "peer": peer.peer,
            "connections_made": made,
            "per_second": round(profile.per_second(made), 1),
            "calls": calls.calls,
            "connecting_ns": waited,
            "cpu_ns": computed,
            "share_of_its_time_ratio": round(spent / max(1, whole), 3),
        },
        spent,
        lines=waiting_lines(lines, profile.process) or busy_lines(profile.process),
        title=f"Connections to {peer.peer} are made anew again and again: "
        f"{plural(made, 'connection')}, {profile.per_second(made):.3g} a second, for "
        f"{plural(calls.calls, 'exchange')}; making them (connect, handshake, login) takes "
        f"{_price(waited, computed, whole, profile)}",
    )


def _price(waited: int, computed: int, whole: int, profile: ProcessProfile) -> str:
    texts = []
    if waited:
        texts.append(
            f"{duration(waited)} of waiting ({share(waited, whole)} of that for this peer)"
        )
    if computed:
        of_all = share(computed, profile.total.cpu_ns)
        texts.append(f"about {duration(computed)} of CPU time ({of_all} of the program's)")
    return " and ".join(texts)


def _makes(stack: Sequence[Frame]) -> bool:
    """Whether a library is making a connection there."""
    return any(_MAKES.search(short_name(frame)) for frame in library_frames(stack))


def _computed_ns(profile: ProcessProfile) -> int:
    """CPU time for making connections, by its share of the samples."""
    samples = profile.process.cpu_samples
    making = sum(one.samples for one in samples if _makes(one.stack))
    return profile.total.cpu_ns * making // max(1, sum(one.samples for one in samples))


MADE = Rule(
    "IO179",
    "Connections are made anew for each call, and that takes long",
    "Keep connections and use them again: one requests.Session, httpx.Client or boto3 client for "
    "the whole program, with a pool as large as there are threads that use it at once "
    "(HTTPAdapter(pool_maxsize=...), boto3: Config(max_pool_connections=...), Elasticsearch: "
    'connections_per_node); urllib3 says "Connection pool is full, discarding connection" where it '
    "is smaller. For databases a pool (SQLAlchemy, psycopg_pool; Django: CONN_MAX_AGE).",
    _made_anew,
    explains={"IO118": covers, "IO119": covers},
)

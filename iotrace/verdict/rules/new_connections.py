# SPDX-License-Identifier: Apache-2.0
"""Connections that are made for one call or a few and then closed: each takes time to be made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iotrace.report.requests import Upstream as Calls
from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.connecting_tasks import asking_tasks, connecting_tasks, waited_ns
from iotrace.verdict.cpu_samples import all_cpu_ns, by_function, cpu_ns_of
from iotrace.verdict.frames import library_frames, short_name
from iotrace.verdict.number_formats import duration, figure, plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import LEAST_OF_COSTLIEST, waiting_lines
from iotrace.verdict.request_time import LEAST_REQUESTS, ON_CPU, whole_of
from iotrace.verdict.rules.rule import COVERED_SHARE, Cost, Hit, Rule, covers
from iotrace.verdict.rules.silent_dns import LOOK_UPS
from iotrace.verdict.told_lines import COMPUTES, MOST, ToldLine, frame_text, wait_at
from iotrace.verdict.upstreams import Upstream, upstreams
from iotrace.verdict.waiting_tasks import task_lines
from iotrace.vocabulary.calls import CONNECTS, FAMILIES
from iotrace.vocabulary.waits import FOR_PEERS

LEAST_MADE = 10
"""Connections to one peer while it was traced,"""
MADE_PER_SECOND = 1.0
"""which go on to be made;"""
EACH_SHARE = 0.9
"""or nearly one for each request, however few there are (LEAST_REQUESTS);"""
CONNECTING_SHARE = 0.25
"""of the time that threads wait for this peer, or compute for its connections, for making them,"""
CPU_SHARE = 0.25
"""or of the CPU time that the program takes;"""
LEAST_SHARE = 0.1
"""and of the time that requests take, or of the time traced, together."""
MOST_SHARE = 0.5
"""Of that CPU time, for making TLS contexts, which a handshake does not need anew."""
GIL_SHARE = 0.3
"""Of the program's CPU time, for making connections: so much of what has the GIL goes with them."""
_MAKES = re.compile(
    r"^_*(?:(?:\w+_)?connect(?:_\w+)?|do_handshake|handshake|new_conn(?:ection)?|wrap_socket"
    r"|ssl_wrap_socket\w*|create_default_context|load_verify_locations)$"
)
_CONTEXT = re.compile(
    r"^(?:create_(?:default|ssl|urllib3)_context|load_(?:verify_locations|default_certs))$"
)
"""Functions that make a TLS context: of all that, they do not depend on the peer."""


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
    served = sum(one.exchanges for one in profile.process.requests)
    often = made >= LEAST_MADE and profile.per_second(made) >= MADE_PER_SECOND
    sockets = profile.process.sockets
    kept = (
        sum(one.connections for one in sockets.connected if one.peer == calls.peer)
        if sockets
        else 0
    )
    # Without those that are kept: a pool is filled.
    for_each = served >= LEAST_REQUESTS and made - kept >= EACH_SHARE * served
    return (often or for_each) and made > calls.connect_errors


def _hit(peer: Upstream, calls: Calls, most: bool, profile: ProcessProfile) -> Hit | None:
    """``most``: to this peer most connections are made: what cannot be told whose it is counts for
    it: CPU time, waits in multiplexers that a driver makes for one wait, and those of tasks."""
    making = [one for one in profile.process.lines if one.syscall in CONNECTS or _makes(one.stack)]
    elsewhere = [one for one in making if most and one.fd is None and one.syscall in FAMILIES]
    lines = [one for one in making if one in peer.lines or one in elsewhere]
    samples = [one for one in profile.process.cpu_samples if most and _makes(one.stack)]
    computed = cpu_ns_of(samples)
    context = cpu_ns_of([one for one in samples if _makes_context(one.stack)])
    tasks = connecting_tasks(profile) if most else []
    waited = sum(one.wait_ns for one in lines) + waited_ns(tasks, profile)
    spent = waited + computed
    whole = peer.waited_ns + sum(one.wait_ns for one in elsewhere)
    whole += waited_ns(asking_tasks(profile), profile) if tasks else 0
    dear = spent >= CONNECTING_SHARE * (whole + computed) or computed >= CPU_SHARE * all_cpu_ns(
        profile
    )
    mostly = (waited, FOR_PEERS) if waited >= computed else (computed, ON_CPU)
    part = whole_of(mostly[0], profile, states=mostly[1])
    if not dear or spent < LEAST_SHARE * part.ns:
        return None
    made = _made(calls)
    of_cpu = round(computed / max(1, all_cpu_ns(profile)), 3)
    of_wait = round(min(1, waited / max(1, whole)), 3)
    of_context = context >= MOST_SHARE * spent
    waiting, computing = waiting_lines(lines, profile.process), _computing_lines(samples, profile)
    takes = (
        f"making them (connect, handshake, login) takes {_price(waited, computed, whole, profile)}"
    )
    if of_context:
        takes = (
            f"{share(context, spent)} of what that takes is making TLS contexts, which read the "
            f"certificates of all authorities: {_cpu_text(context, profile)}, "
            f"{duration(context // made)} for each connection"
        )
    return Hit(
        {
            "peer": peer.peer,
            "connections_made": made,
            "per_second": round(profile.per_second(made), 1),
            "calls": calls.calls,
            **({"connecting_ns": waited, "of_waiting_for_it_ratio": of_wait} if waited else {}),
            **({"cpu_ns": computed, "of_cpu_time_ratio": of_cpu} if computed else {}),
            **({"making_tls_contexts_ns": context} if context else {}),
        },
        spent,
        lines=(*task_lines(tasks), *_ranked(waited, waiting, computing))[:MOST],
        title=f"Connections to {peer.peer} are made anew again and again: "
        f"{plural(made, 'connection')}, {figure(profile.per_second(made))} a second, for "
        f"{plural(calls.calls, 'exchange')}; {takes}",
        advice=_ONE_CONTEXT if of_context else "",
        whole=part,
    )


def _ranked(
    waited: int, waiting: Sequence[ToldLine], computing: Sequence[tuple[ToldLine, int]]
) -> Iterator[ToldLine]:
    """What costs most first."""
    first = [line for line, cpu_ns in computing if cpu_ns >= waited]
    yield from first
    yield from waiting
    yield from (line for line, _ in computing if line not in first)


def _price(waited: int, computed: int, whole: int, profile: ProcessProfile) -> str:
    texts = []
    if waited:
        texts.append(
            f"{duration(waited)} of waiting ({share(waited, whole)} of all waiting for this peer)"
        )
    if computed:
        texts.append(_cpu_text(computed, profile))
    return " and ".join(texts)


def _cpu_text(cpu_ns: int, profile: ProcessProfile) -> str:
    of_all = share(cpu_ns, all_cpu_ns(profile))
    return f"about {duration(cpu_ns)} of CPU time ({of_all} of the program's)"


def _computing_lines(
    samples: Sequence[CpuSample], profile: ProcessProfile
) -> list[tuple[ToldLine, int]]:
    """Where the program's own code has connections made, with the CPU time of that alone."""
    found = []
    for group in by_function(samples):
        first = max(group, key=lambda one: one.samples)
        own, inner = first.own_stack[0], first.stack[0]
        cpu_ns = cpu_ns_of(group)
        text = (
            f"{frame_text(own)} -> {frame_text(inner)}: about "
            f"{duration(cpu_ns)} of CPU time for making connections"
        )
        found.append((ToldLine(text, wait_at(own, COMPUTES)), cpu_ns))
    most = max((cpu_ns for _, cpu_ns in found), default=0)
    told = [one for one in found if one[1] >= LEAST_OF_COSTLIEST * most]
    return sorted(told, key=lambda one: -one[1])


def _makes(stack: Sequence[Frame]) -> bool:
    """Whether a library is making a connection there; look-ups of names have rules of their own."""
    if stack and stack[0].function in LOOK_UPS:
        return False
    return any(_MAKES.search(short_name(frame)) for frame in library_frames(stack))


def _makes_context(stack: Sequence[Frame]) -> bool:
    """urllib3 loads the certificates into the context that it is given in ssl_wrap_socket itself:
    what that calls in C is of the context, and the handshake has frames of its own."""
    if stack and short_name(stack[0]) == "ssl_wrap_socket":
        return True
    return any(_CONTEXT.search(short_name(frame)) for frame in library_frames(stack))


def _takes_its_cpu(cause: Hit, symptom: Hit) -> bool:
    """What computes there for long mostly makes connections."""
    told = symptom.lines[0].wait if symptom.lines else None
    computes = told is not None and told in [line.wait for line in cause.lines]
    cpu_ns = float(cause.evidence.get("cpu_ns", 0))
    return computes and cpu_ns >= COVERED_SHARE * (symptom.cost_ns or 0)


def _of_its_tasks(cause: Hit, symptom: Hit) -> bool:
    """The slow requests wait where the connections are made, mostly for that."""
    places = {line.text.split(":", 2)[0] for line in cause.lines}
    told = symptom.lines[0].text.split(":", 2)[0] if symptom.lines else ""
    return told in places and covers(cause, symptom)


def _keeps_the_gil(cause: Hit, symptom: Hit) -> bool:
    """What others wait for computes for connections."""
    return float(cause.evidence.get("of_cpu_time_ratio", 0)) >= GIL_SHARE


_ONE_CONTEXT = (
    "Make the client once for the whole program (one httpx.Client or AsyncClient, one "
    "aiohttp.ClientSession, one requests.Session): it makes one TLS context and keeps its "
    "connections. Or make the context once and hand it to each client (httpx: verify=context)."
)
MADE = Rule(
    "IO179",
    "Connections are made anew for each call, and that takes long",
    "Keep connections and use them again: one requests.Session, httpx.Client or boto3 client for "
    "the whole program, with a pool as large as there are threads that use it at once "
    "(HTTPAdapter(pool_maxsize=...), boto3: Config(max_pool_connections=...), Elasticsearch: "
    'connections_per_node); urllib3 says "Connection pool is full, discarding connection" where it '
    "is smaller. For databases a pool (SQLAlchemy, psycopg_pool; Django: CONN_MAX_AGE). "
    "Mail: one SMTP connection for all messages of a batch.",
    _made_anew,
    explains={
        "IO103": _takes_its_cpu,
        "IO113": _keeps_the_gil,
        "IO118": covers,
        "IO119": covers,
        "IO132": _takes_its_cpu,
        "IO133": _takes_its_cpu,
        "IO165": _of_its_tasks,
        "IO178": _takes_its_cpu,
        "IO185": _of_its_tasks,
    },
    cost=Cost.TIME,
)

# SPDX-License-Identifier: Apache-2.0
"""Accepted connections whose clients have gone, which nobody has noticed."""

from __future__ import annotations

from iotrace.verdict.descriptor_limit import until_limit
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import calling_lines
from iotrace.verdict.rules.rule import Hit
from iotrace.verdict.stuck import Stuck, place_text, stuck_lines, whereabouts
from iotrace.verdict.told_lines import ToldLine
from iotrace.vocabulary.calls import ACCEPTS

LEAST_LEFT = 20
"""As many as a peer of its own has to close: fewer may be on their way out."""
LEAST_LEFT_NS = 1_000_000_000
"""In the middle: a server that looks at its connections closes within milliseconds, and one that is
kept from it for longer is told of by what keeps it."""
SERVED_SHARE = 0.5
"""Threads at one place, of these connections: then it is they who serve them."""


def left_by_clients(profile: ProcessProfile) -> Hit | None:
    left = profile.process.sockets.left if profile.process.sockets else None
    if left is None or left.connections < LEAST_LEFT or (left.typical_ns or 0) < LEAST_LEFT_NS:
        return None
    assert left.typical_ns is not None
    serving = _serving(profile)
    its = serving if len(serving) >= SERVED_SHARE * left.connections else []
    whose = left.client if left.clients == 1 else plural(left.clients, "address")
    at = ""
    if its:
        at = f", while {plural(len(its), 'thread')} go on for clients at {place_text(its[0])}"
    # Half of them are no older than that.
    more = left.connections / 2 / (left.typical_ns / 1e9)
    limit, descriptors = until_limit(profile, more if _still_come(profile) else 0.0)
    return Hit(
        {
            "client": left.client,
            "clients": left.clients,
            "open_connections": left.open_connections,
            "closed_by_client": left.connections,
            "typically_since_ns": left.typical_ns,
            **descriptors,
            **({"threads": len(its)} if its else {}),
        },
        None,
        severity="medium",
        lines=stuck_lines(its) if its else _accepting_lines(profile),
        title="Sockets of clients that have gone are not closed: "
        f"{plural(left.connections, 'connection')} from {whose} were closed by the client and not "
        f"here (CLOSE_WAIT), typically {duration(left.typical_ns)} ago{limit}"
        f"{at}",
        advice=_ADVICE,
    )


def _still_come(profile: ProcessProfile) -> bool:
    """Whether connections were accepted meanwhile: else they do not become more."""
    return profile.total.accepts.ok > 0


def _accepting_lines(profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """Where connections are accepted, for what serves them (greenlets, tasks) has no stack."""
    return calling_lines([one for one in profile.process.lines if one.syscall in ACCEPTS])


def _serving(profile: ProcessProfile) -> list[Stuck]:
    """The threads that serve connections, of the place where most of them are."""
    places: dict[str, list[Stuck]] = {}
    for one in whereabouts(profile):
        if one.serves:
            places.setdefault(place_text(one), []).append(one)
    places.pop("", None)
    return max(places.values(), key=len, default=[])


_ADVICE = (
    "Who serves them most likely waits for something else (an event, a queue, a sleep) and sends "
    "nothing, so that it does not learn that the client has gone. If that wait has a time limit (a "
    "long poll), descriptors and threads are kept until then; if it has none, it is a leak: the "
    "connection is never closed, and its thread or greenlet never ends. Send something now and "
    "then (in an event stream a comment line and an empty one, every 15 s: the second time it "
    "fails, and the generator is closed; an empty part sends nothing), wait with a timeout for "
    "that, or watch the connection: await request.is_disconnected() in ASGI, a recv() that returns "
    "b'' elsewhere."
)

# SPDX-License-Identifier: Apache-2.0
"""The latency of requests: how it is distributed, and what the typical and the slowest waited for.

A figure is one listener; below the listeners, a card for each peer that the process calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from iotrace.output import units
from iotrace.output.html import cards
from iotrace.output.html.cards import Card, Lane
from iotrace.output.html.elements import Markup, join, tag
from iotrace.output.html.histogram_chart import Axis
from iotrace.output.html.states import bar, legend
from iotrace.report.model import Process
from iotrace.report.request_profile import main_states, slowest, typical
from iotrace.report.requests import PART_STATES, Requests, RequestTier, SlowRequest, Upstream

_Split = RequestTier | SlowRequest
_PARTS = ("queue", *PART_STATES)
"""Each one is a class of the style sheet."""
_MOST_LISTENERS = 6
_MOST_PEERS = 12


def section(process: Process) -> Markup:
    """The listeners' figures; nothing for a process that answered nothing."""
    answered = [row for row in process.requests if row.latency_ns is not None]
    if not answered:
        return Markup()
    shown, rest = answered[:_MOST_LISTENERS], answered[_MOST_LISTENERS:]
    lanes = [tuple(_lanes(row)) for row in shown]
    axis = cards.axis_of(lane for own in lanes for lane in own)
    return tag(
        "section",
        tag("h3", "How long requests took, and what they waited for"),
        tag(
            "p",
            "From the arrival of a request to the first byte of its answer; p50 and p99 are "
            "marked. The bars are the parts of the typical and of the slowest latency, one after "
            "the other, by what the serving thread did meanwhile:",
            class_="faint",
        ),
        legend(_used(shown)),
        *(_figure(row, own, axis) for row, own in zip(shown, lanes, strict=True)),
        _more(len(rest), "listener"),
        _together(process),
    )


def upstreams(process: Process) -> Markup:
    """A card a peer: their time against ours; nothing where no peer has answered."""
    answered = [row for row in process.upstreams if row.theirs_ns is not None]
    if not answered:
        return Markup()
    found = [_card(row) for row in answered[:_MOST_PEERS]]
    return tag(
        "section",
        tag("h3", "How long calls upstream took"),
        tag(
            "p",
            "Theirs: from the last write of a query to the arrival of its answer. Our pickup: from "
            "there until this process had read it; the bar on top is what it did meanwhile.",
            class_="faint",
        ),
        tag("div", *cards.drawn(found), class_="cards"),
        _more(len(answered) - len(found), "peer"),
    )


def _together(process: Process) -> Markup:
    if process.workers is None:
        return Markup()
    number = units.format_count(len(process.workers.pids))
    return tag("p", f"Of {number} processes together.", class_="faint")


def _more(number: int, what: str) -> Markup:
    return (
        tag("p", f"… and {units.plural(number, f'more {what}')}", class_="faint")
        if number
        else (Markup())
    )


def _used(rows: Iterable[Requests]) -> list[str]:
    seen: set[str] = set()
    for row in rows:
        split: list[_Split] = [*_profile(row).values(), *row.exemplars]
        for one in split:
            seen.update(name for _, times in _parts(one) for name, ns in times if ns > 0)
    return [name for name in _PARTS if name in seen]


def _profile(row: Requests) -> dict[str, RequestTier]:
    both = {"typical": typical(row), "slowest": slowest(row)}
    return {name: tier for name, tier in both.items() if tier is not None}


def _lanes(row: Requests) -> Iterable[Lane]:
    assert row.latency_ns is not None
    bands = tuple((tier.from_ns, tier.to_ns, name) for name, tier in _profile(row).items())
    whole = cards.lane("h-call", "latency", row.latency_ns)
    yield Lane(whole.style, whole.told, whole.buckets, whole.p50, whole.p99, bands)
    for style, what, times in (
        ("h-pickup", "of it pickup, until it was read", row.pickup_ns),
        ("h-loop", "of it service, from there to the answer", row.service_ns),
        ("h-wait", "connections in the accept queue", row.queue_ns),
    ):
        if times is not None:
            yield cards.lane(style, what, times)


def _figure(row: Requests, lanes: tuple[Lane, ...], axis: Axis) -> Markup:
    split = [
        part
        for name, tier in _profile(row).items()
        for part in (tag("p", _of_tier(name, tier), class_="told"), _waterfall(tier))
    ]
    return tag(
        "figure",
        cards.title(row.listener, _counted(row)),
        tag("div", cards.histograms(lanes, axis), tag("div", *split), class_="halves"),
        _exemplars(row),
        class_="card",
    )


def _counted(row: Requests) -> str:
    accepted = f"{units.plural(row.connections, 'connection')} accepted"
    return f"{units.plural(row.exchanges, 'request')}, {accepted}{_owed(row)}"


def _owed(row: Requests | Upstream) -> str:
    if not row.unanswered:
        return ""
    age = units.format_duration(row.oldest_unanswered_ns)
    return f"; {units.format_count(row.unanswered)} not answered at the end, the oldest for {age}"


def _of_tier(name: str, tier: RequestTier) -> Markup:
    mean = units.format_duration(tier.latency_ns / (tier.count or 1))
    swatch = tag("span", class_=f"swatch {name}")
    return join(swatch, f" the {name}: {units.plural(tier.count, 'request')}, on average {mean}")


def _waterfall(one: RequestTier) -> Markup:
    """A row a part, each beginning where the one before ended, and its states in words."""
    rows: list[Markup] = []
    before, count = 0, one.count or 1
    for name, times in _parts(one):
        ns = sum(time for _, time in times)
        if ns > 0:
            mean = units.format_duration(ns / count)
            told = _told(times, count)
            states = [tag("span", told, class_="states faint")] if name != "queue" else []
            rows.append(
                _row(
                    name,
                    bar(times, one.latency_ns, f"{name} {mean}: {told}", before),
                    mean,
                    *states,
                )
            )
        before += ns
    return tag("div", *rows, class_="bars")


def _row(name: str, drawn: Markup, figure: str, *below: Markup) -> Markup:
    return tag(
        "div",
        tag("span", name, class_="name"),
        drawn,
        tag("span", figure, class_="figure"),
        *below,
        class_="row",
    )


def _told(times: Iterable[tuple[str, int]], count: int) -> str:
    """``sleep 15.6 ms, poll 1.48 ms``: the mean of ``count``, the longest first."""
    ranked = main_states(dict(times))
    return ", ".join(f"{name} {units.format_duration(ns / count)}" for name, ns in ranked)


def _exemplars(row: Requests) -> Markup:
    if not row.exemplars:
        return Markup()
    longest = max(one.latency_ns for one in row.exemplars)
    rows = (_exemplar(one, longest) for one in row.exemplars)
    return join(
        tag(
            "p",
            "The slowest ones: when they arrived, and for whom; a line marks the end of the queue "
            "and of the pickup.",
            class_="told",
        ),
        tag("div", *rows, class_="bars"),
    )


def _exemplar(one: SlowRequest, longest: int) -> Markup:
    parts = _parts(one)
    read_ns = one.queue_ns + sum(ns for _, ns in parts[1][1])
    told = "; ".join(f"{name} {_told(times, 1)}" for name, times in parts if _told(times, 1))
    drawn = bar(
        [time for _, times in parts for time in times],
        longest,
        told,
        marks=[ns for ns in (one.queue_ns, read_ns) if 0 < ns < one.latency_ns],
    )
    name = f"{units.format_duration(one.arrived_ns)} {one.peer}".rstrip()
    return _row(name, drawn, units.format_duration(one.latency_ns))


def _parts(one: _Split) -> tuple[tuple[str, list[tuple[str, int]]], ...]:
    return (
        ("queue", [("queue", one.queue_ns)]),
        ("pickup", _states(one.pickup_ns)),
        ("service", _states(one.service_ns)),
    )


def _states(times: Mapping[str, int]) -> list[tuple[str, int]]:
    """In the order of drawing; a state that is not known is not accounted for."""
    known = [(name, times[name]) for name in _PARTS if name in times]
    strange = sum(ns for name, ns in times.items() if name not in _PARTS)
    return [*known, *([("unaccounted", strange)] if strange else [])]


def _card(row: Upstream) -> Card:
    at_once = f"{units.format_count(row.in_flight_max)} at once at most"
    return Card(
        row.peer,
        f"{units.plural(row.calls, 'call')}, {at_once}{_owed(row)}",
        tuple(
            cards.lane(style, what, times)
            for style, what, times in (
                ("h-wait", "theirs", row.theirs_ns),
                ("h-pickup", "our pickup", row.pickup_ns),
                ("h-call", "to connect", row.connect_ns),
            )
            if times is not None
        ),
        tuple(_states(row.pickup_states_ns)),
    )

# SPDX-License-Identifier: Apache-2.0
"""The same models with more and more clients: where one overtakes the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from iotrace.demo.runner import Measurement, TracedServer
from iotrace.output.blocks import Block, Column, Heading, Items, Paragraph, Table, figures, texts
from iotrace.output.units import format_count, format_duration, plural

MODELS = ("blocking", "thread", "select", "epoll")
_COUNTED_NS = 400_000_000
_SETTLE_NS = 200_000_000
_SETTLE_NS_A_CLIENT = 400_000
_LEAD = 1.2
"""So many times as fast is faster: less than that may be chance."""


@dataclass(frozen=True, slots=True)
class Point:
    """One model with ``connections`` clients; CPU time in ns a request.

    ``errors`` are the clients' (``LoadResult.errors``), ``refusals`` what the server told them.
    """

    model: str
    connections: int
    requests_per_second: float
    cpu_ns: float
    calls: float
    errors: dict[str, int]
    refusals: tuple[str, ...]


def measure(model_id: str, server: TracedServer, connections: int, load: Sequence[str]) -> Point:
    """Let so many clients send, and count once all of them are connected."""
    from_ns = _SETTLE_NS + connections * _SETTLE_NS_A_CLIENT
    to_ns = from_ns + _COUNTED_NS
    seconds = f"{to_ns / 1e9 + 0.1:.2f}"
    arguments = (*load, "--connections", str(connections), "--duration", seconds)
    return point(model_id, connections, server.run_load(arguments, counted_ns=(from_ns, to_ns)))


def point(model_id: str, connections: int, measurement: Measurement) -> Point:
    """The figures of one measurement."""
    seen = measurement.figures
    requests = max(seen.requests, 1)
    return Point(
        model=model_id,
        connections=connections,
        requests_per_second=seen.requests * 1e9 / measurement.report.duration_ns,
        cpu_ns=seen.cpu_ns / requests,
        calls=seen.calls / requests,
        errors=measurement.result.errors,
        refusals=measurement.result.refusals,
    )


def blocks(points: Sequence[Point], delay_ns: int) -> list[Block]:
    """The page: a row a model, a column for each number of clients."""
    sentences = (*_overtakings(points), *_refusals(points))
    return [
        Paragraph(
            "More and more clients, each of which sends its next request "
            f"{format_duration(delay_ns)} after its last answer."
        ),
        _table("Requests answered a second", points, _rate),
        _table("CPU time of the server a request", points, lambda one: format_duration(one.cpu_ns)),
        _table("System calls a request", points, lambda one: f"{one.calls:.1f}"),
        Heading(2, "What to see"),
        Items(sentences),
    ]


def _rate(one: Point) -> str:
    mark = " *" if one.errors.get("refused") else ""
    return format_count(round(one.requests_per_second)) + mark


def _table(title: str, points: Sequence[Point], figure: Any) -> Table:
    models = list(dict.fromkeys(one.model for one in points))
    numbers = sorted({one.connections for one in points})
    by_place = {(one.model, one.connections): figure(one) for one in points}
    columns: list[Column] = [texts("model", models, least=8)]
    columns += [
        figures(plural(number, "client"), (by_place.get((model, number), "") for model in models))
        for number in numbers
    ]
    return Table(title=title, legend=(), columns=tuple(columns))


def _overtakings(points: Sequence[Point]) -> list[str]:
    """What each model costs with the fewest clients, and from how many on it is the faster."""
    by_place = {(one.model, one.connections): one for one in points}
    sentences = []
    for model in dict.fromkeys(one.model for one in points if one.model != "blocking"):
        pairs = [
            (by_place["blocking", one.connections], one)
            for one in sorted(points, key=lambda one: one.connections)
            if one.model == model and ("blocking", one.connections) in by_place
        ]
        if pairs:
            sentences.append(f"{model}: {_price(*pairs[0])}; {_lead(pairs)}.")
    return sentences


def _price(base: Point, one: Point) -> str:
    return (
        f"with {plural(one.connections, 'client')} {one.calls:.1f} calls and "
        f"{format_duration(one.cpu_ns)} of CPU time a request, where blocking needs "
        f"{base.calls:.1f} and {format_duration(base.cpu_ns)}"
    )


def _lead(pairs: Sequence[tuple[Point, Point]]) -> str:
    for base, one in pairs:
        if one.requests_per_second > _LEAD * base.requests_per_second:
            times = one.requests_per_second / max(base.requests_per_second, 1e-9)
            clients = plural(one.connections, "client")
            return f"from {clients} on it is ahead: {times:.1f} times as many requests a second"
    return f"not ahead of blocking up to {plural(pairs[-1][1].connections, 'client')}"


def _refusals(points: Sequence[Point]) -> list[str]:
    return [
        f"* {one.model}: {format_count(one.errors['refused'])} of "
        f"{plural(one.connections, 'client')} were refused: {'; '.join(one.refusals)}."
        for one in points
        if one.errors.get("refused")
    ]


def to_dict(points: Sequence[Point]) -> list[dict[str, Any]]:
    """The points as JSON has them."""
    return [
        {
            "model": one.model,
            "connections": one.connections,
            "requests_per_second": one.requests_per_second,
            "cpu_per_request_ns": one.cpu_ns,
            "calls_per_request": one.calls,
            "errors": one.errors,
            "refusals": list(one.refusals),
        }
        for one in points
    ]

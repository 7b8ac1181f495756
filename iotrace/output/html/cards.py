# SPDX-License-Identifier: Apache-2.0
"""Cards: histograms of one thing, one below the other, and a bar of what its time was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from iotrace.output import units
from iotrace.output.html import histogram_chart
from iotrace.output.html.elements import Markup, tag
from iotrace.output.html.histogram_chart import Axis, Band
from iotrace.output.html.states import bar
from iotrace.report.model import Bucket, Durations, Percentiles, Pickup, Quantiles


@dataclass(frozen=True, slots=True)
class Lane:
    """One histogram of a card. ``told``: what it is of, and its figures."""

    style: str
    told: str
    buckets: tuple[Bucket, ...]
    p50: int
    p99: int
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """``phases``: what all the time was, as ``states.bar`` takes it."""

    title: str
    aside: str
    lanes: tuple[Lane, ...]
    phases: tuple[tuple[str, int], ...] = ()


def lane(style: str, what: str, times: Percentiles | Quantiles | Pickup | Durations) -> Lane:
    """With its figures in words: ``what: p50 ..., p99 ..., max ...``."""
    told = ", ".join(
        f"{name} {units.format_duration(getattr(times, name))}" for name in ("p50", "p99", "max")
    )
    return Lane(style, f"{what}: {told}", times.histogram, times.p50, times.p99)


def drawn(cards: Sequence[Card]) -> Iterable[Markup]:
    """Each card; all have one axis of time."""
    axis = axis_of(one for card in cards for one in card.lanes)
    return [_drawn(card, axis) for card in cards]


def axis_of(lanes: Iterable[Lane]) -> Axis:
    """One axis for all of them."""
    return Axis(
        [time for one in lanes for time in histogram_chart.times_of(one.buckets, one.p50, one.p99)]
    )


def histograms(lanes: Sequence[Lane], axis: Axis) -> Markup:
    """One below the other, and the axis below them."""
    drawn = (
        tag(
            "div",
            tag("p", one.told, class_="told"),
            histogram_chart.drawn(
                one.buckets, one.p50, one.p99, axis, one.style, one.told, one.bands
            ),
        )
        for one in lanes
    )
    return tag("div", *drawn, axis.drawn())


def title(card_title: str, aside: str) -> Markup:
    """The heading of a figure."""
    return tag("figcaption", tag("b", card_title), " ", tag("span", aside, class_="faint"))


def _drawn(card: Card, axis: Axis) -> Markup:
    whole = sum(time for _, time in card.phases)
    told = ", ".join(f"{name} {units.format_duration(time)}" for name, time in card.phases)
    return tag(
        "figure",
        title(card.title, card.aside),
        *([bar(card.phases, whole, told)] if card.phases else []),
        histograms(card.lanes, axis),
        class_="card",
    )

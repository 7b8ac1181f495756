# SPDX-License-Identifier: Apache-2.0
"""What a timeline is drawn of: slices of time, moments, exchanges; and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

NOTHING: Mapping[str, int | str] = MappingProxyType({})


class Slice(NamedTuple):
    """A stretch of time on a track. ``flow``: the number of an arrival that it takes the data of.

    ``details``: shown on a click.
    """

    name: str
    from_ns: int
    to_ns: int
    details: Mapping[str, int | str] = NOTHING
    flow: int | None = None


class Exchange(NamedTuple):
    """A request and its answer, or a call upstream: a slice of which others are the parts.

    ``group``: the track of its listener or peer, of which ``track``, its connection's, is one.
    The parts follow each other; none is outside of ``whole``.
    """

    group: str
    track: str
    whole: Slice
    parts: tuple[Slice, ...]


class Instant(NamedTuple):
    """A moment. ``flow``: the number of the arrow that begins there."""

    name: str
    at_ns: int
    flow: int | None = None


class Place(Enum):
    """Where something is drawn: on a thread's tracks, the one of data that arrives, or on that of a
    connection."""

    CALLS = "calls"
    STATES = "states"
    SIGNALS = "signals"
    ARRIVALS = "arrivals"
    EXCHANGES = "exchanges"


class Drawn(NamedTuple):
    """One thing to draw. ``tid`` is 0 for an exchange; ``pid``, too, for what is of no process."""

    place: Place
    pid: int
    tid: int
    what: Slice | Instant | Exchange

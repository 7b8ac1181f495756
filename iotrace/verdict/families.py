# SPDX-License-Identifier: Apache-2.0
"""Which of the processes traced are each other's parents and children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iotrace.verdict.process_profile import ProcessProfile


def families(profiles: Sequence[ProcessProfile]) -> list[list[int]]:
    """Places of those that belong together, the eldest first."""
    places = {one.process.pid: place for place, one in enumerate(profiles) if one.process.pid}
    families: dict[int, list[int]] = {}
    for place in range(len(profiles)):
        families.setdefault(_eldest(place, profiles, places), []).append(place)
    return [[first, *(one for one in rest if one != first)] for first, rest in families.items()]


def _eldest(place: int, profiles: Sequence[ProcessProfile], places: Mapping[int, int]) -> int:
    seen = {place}  # a report from elsewhere may tell of two that are each other's parents
    while True:
        above = places.get(profiles[place].process.parent or 0)
        if above is None or above in seen:
            return place
        seen.add(above)
        place = above

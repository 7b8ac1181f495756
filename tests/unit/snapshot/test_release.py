"""An interval's slowest requests make room for those of the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from iotrace.engine.constants import EXEMPLARS
from iotrace.engine.probes import Probes
from iotrace.engine.record_layout import Field, Layout
from iotrace.engine.record_tables import RecordTable
from iotrace.snapshot.exchanges import SlowExchange
from iotrace.snapshot.release import forget_slowest

_LAYOUTS = {
    "endpoints": Layout(16, {"seq": Field(0, "I", 1), "slowest_ns": Field(8, "Q", 1)}),
    "exemplars": Layout(
        24,
        {
            "seq": Field(0, "I", 1),
            "tid": Field(4, "I", 1),
            "arrived_ns": Field(8, "Q", 1),
            "latency_ns": Field(16, "Q", 1),
        },
    ),
}
_ENDPOINTS = 2


class _Table(RecordTable):
    """Whatever a probe does as soon as a record was set."""

    meanwhile: Callable[[], None] | None = None

    def set(self, index: int, name: str, value: int) -> None:
        super().set(index, name, value)
        if self.meanwhile:
            self.meanwhile()


class _Probes:
    """Tables in memory of the kind that maps have."""

    def __init__(self) -> None:
        self.tables: dict[str, _Table] = {}
        for name, layout in _LAYOUTS.items():
            fd = os.memfd_create(name)
            os.truncate(fd, 64 << 10)
            self.tables[name] = _Table(fd, layout, _ENDPOINTS * EXEMPLARS)
            os.close(fd)

    def used(self, counter: int) -> int:
        return _ENDPOINTS

    def table(self, name: str) -> RecordTable:
        return self.tables[name]

    def keep(self, place: int, arrived_ns: int, latency_ns: int) -> SlowExchange:
        figures = {"tid": 7, "arrived_ns": arrived_ns, "latency_ns": latency_ns}
        self.tables["exemplars"].write(place, _LAYOUTS["exemplars"].pack(figures))
        return SlowExchange(7, arrived_ns, latency_ns, 0, 2, b"", 1, {}, {})

    def slowest_ns(self, endpoint: int) -> int:
        table = self.tables["endpoints"]
        return int(table.layout.unpack(table.read(endpoint))["slowest_ns"])

    def latencies(self, endpoint: int) -> list[int]:
        table = self.tables["exemplars"]
        places = range(endpoint * EXEMPLARS, (endpoint + 1) * EXEMPLARS)
        return [table.layout.unpack(table.read(place))["latency_ns"] for place in places]


@pytest.fixture
def probes() -> Iterator[_Probes]:
    made = _Probes()
    yield made
    for table in made.tables.values():
        table.close()


def test_what_ended_since_the_snapshot_stays(probes: _Probes) -> None:
    told = [probes.keep(place, 1000 + place, 50 + place) for place in range(2 * EXEMPLARS)]
    probes.tables["endpoints"].set(0, "slowest_ns", 50)
    probes.tables["endpoints"].set(1, "slowest_ns", 58)
    probes.keep(3, 2000, 90)  # in the place of one that was told of
    forget_slowest(cast(Probes, probes), told)
    assert probes.latencies(0) == [0, 0, 0, 90, 0, 0, 0, 0]
    assert probes.latencies(1) == [0] * EXEMPLARS
    assert (probes.slowest_ns(0), probes.slowest_ns(1)) == (0, 0)


def test_where_none_has_room_the_next_takes_longer_than_the_fastest(probes: _Probes) -> None:
    for place in range(EXEMPLARS):
        probes.keep(place, 2000, 70 + place)
    probes.tables["endpoints"].set(0, "slowest_ns", 70)
    forget_slowest(cast(Probes, probes), [])
    assert probes.latencies(0) == list(range(70, 78))
    assert probes.slowest_ns(0) == 70


def test_no_request_is_measured_by_those_that_are_forgotten(probes: _Probes) -> None:
    """One that ends while they are forgotten finds some of them, and says how slow the next must
    be: ``keep_exemplar`` in probes/endpoints.c."""
    told = [probes.keep(place, 1000, 500 + place) for place in range(EXEMPLARS)]

    def request() -> None:
        probes.tables["exemplars"].meanwhile = None
        probes.tables["endpoints"].set(0, "slowest_ns", 501)

    probes.tables["exemplars"].meanwhile = request
    forget_slowest(cast(Probes, probes), told)
    assert probes.latencies(0) == [0] * EXEMPLARS
    assert probes.slowest_ns(0) == 0

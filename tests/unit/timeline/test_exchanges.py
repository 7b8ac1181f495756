"""Exchanges and calls upstream of a timeline: slices with their parts, on a connection's track."""

from __future__ import annotations

import json
import random
from collections import defaultdict

import pytest

from iotrace.timeline import chrome, perfetto
from iotrace.timeline.drawing import Exchange, Slice
from iotrace.timeline.exchange_slices import ANSWERED, EXIT, PICKUP, QUEUED, READ, THEIRS
from iotrace.timeline.recorded_events import Timeline
from iotrace.timeline.tracks import ENTER, drawn, tracks_of
from tests.unit.timeline.made import packed
from tests.unit.timeline.perfetto_reader import check, packets

_CALLS = {44: "sendto", 45: "recvfrom", 3: "close"}
_PORT = 8000


def _one(at: int = 10_000, fd: int = 5) -> tuple[tuple[int, int, int, int, int, int, int], ...]:
    """300 ns in the queue, 200 until it is read, 400 for the answer, whose last byte is later."""
    return (
        (at, 300, 7, 7, -1, QUEUED, _PORT),
        (at + 200, 200, 7, 7, fd, READ, _PORT),
        (at + 600, 0, 7, 7, fd, ENTER, 44),
        (at + 650, 100, 7, 7, fd, EXIT, 44),
        (at + 650, 400, 7, 7, fd, ANSWERED, _PORT),
        (at + 900, 50, 7, 7, fd, EXIT, 44),
        (at + 950, 50, 7, 7, fd, EXIT, 45),
        (at + 960, -11, 7, 7, fd, EXIT, 44),
    )


def _exchanges(*events: tuple[int, int, int, int, int, int, int]) -> tuple[Exchange, ...]:
    return tracks_of(Timeline(packed(*events), _CALLS)).exchanges


def test_a_request_from_its_arrival_to_the_last_byte() -> None:
    assert _exchanges(*_one()) == (
        Exchange(
            "requests :8000",
            "requests :8000, fd 5",
            Slice("request", 9_700, 10_900, {"thread": 7, "latency_ns": 900}),
            (
                Slice("queue", 9_700, 10_000),
                Slice("pickup", 10_000, 10_200),
                Slice("service", 10_200, 10_600),
                Slice("last byte", 10_600, 10_900),
            ),
        ),
    )


def test_a_connection_has_one_after_the_other() -> None:
    first, second = _exchanges(*_one(), *_one(20_000))
    assert (first.whole.to_ns, second.whole.from_ns) == (10_900, 19_700)
    assert first.track == second.track


def test_what_came_before_the_answer_was_out_begins_after_it() -> None:
    early = (10_950, 700, 7, 7, 5, READ, _PORT)  # it arrived at 10,250
    first, second = _exchanges(*_one(), early, (11_000, 40, 7, 7, 5, ANSWERED, _PORT))
    assert first.parts[-1].to_ns == second.parts[0].from_ns == 10_900
    assert second.whole.details["latency_ns"] == 740


def test_a_close_ends_it_answered_or_not() -> None:
    close = (11_000, 0, 7, 7, 5, EXIT, 3)
    other = (12_000, 99, 7, 7, 5, EXIT, 44)  # on another connection with that number
    (done,) = _exchanges(*_one(), close, other)
    assert done.whole.to_ns == 10_900
    (hung,) = _exchanges(*_one()[:2], close, other)
    assert (hung.whole.name, hung.whole.to_ns) == ("request without an answer", 11_000)
    assert [part.name for part in hung.parts] == ["queue", "pickup", "service"]


def test_what_is_not_answered_lasts_to_the_end() -> None:
    (hung,) = _exchanges(*_one()[:2], (99_000, 1, 7, 8, -1, ENTER, 45))
    assert (hung.whole.from_ns, hung.whole.to_ns) == (9_700, 99_000)


def test_where_the_event_of_the_read_was_dropped_there_is_the_service() -> None:
    (one,) = _exchanges(_one()[4])
    assert [(part.name, part.from_ns, part.to_ns) for part in one.parts] == [
        ("service", 10_250, 10_650)
    ]


def test_a_queue_belongs_to_the_read_that_follows_that_accept() -> None:
    """Another process may read what the parent has accepted."""
    queued, read = _one()[:2]
    child = (read[0], read[1], 8, 8, *read[4:])
    (one,) = _exchanges(queued, child)
    assert [part.name for part in one.parts] == ["queue", "pickup"]
    (other,) = _exchanges(queued, (10_900, 200, 7, 7, 5, READ, _PORT))
    assert [part.name for part in other.parts] == ["pickup"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_call_upstream_is_their_time_and_our_pickup(order: int) -> None:
    both = (
        (10_000, 4_000, 7, 9, 6, THEIRS, 5432),
        (10_000, 500, 7, 9, 6, PICKUP, 5432),
    )[::order]
    (call,) = _exchanges(*both)
    assert (call.group, call.whole.name) == ("upstream :5432", "call upstream")
    assert call.parts == (Slice("theirs", 5_500, 9_500), Slice("pickup", 9_500, 10_000))
    assert _exchanges(both[0]) == ()


def test_a_unix_socket_has_no_port() -> None:
    (one,) = _exchanges((10_200, 200, 7, 7, 5, READ, 0))
    assert one.track == "requests, unix socket, fd 5"


def _random(seed: int) -> Timeline:
    dice = random.Random(seed)
    kinds = (EXIT, QUEUED, READ, ANSWERED, THEIRS, PICKUP)
    at, rows = 10**6, []
    for _ in range(997):
        at += dice.choice((0, 0, 1, 7, 1_000))
        value = dice.choice((0, 1, 500, 10**5, -7, 2**62, -(2**62)))
        rows.append((at, value, 7, 7, dice.choice((-1, 3, 4)), dice.choice(kinds),
                     dice.choice((0, 44, 3, 8000))))  # fmt: skip
    return Timeline(packed(*rows), _CALLS)


@pytest.mark.parametrize("seed", range(13))
def test_of_any_events_slices_are_nested_and_do_not_overlap(seed: int) -> None:
    ends: dict[str, int] = defaultdict(int)
    found = tracks_of(_random(seed)).exchanges
    assert len(found) > 100
    for one in found:
        assert one.whole.from_ns >= ends[one.track]
        assert one.whole.from_ns == one.parts[0].from_ns
        assert one.whole.to_ns == one.parts[-1].to_ns
        for part, following in zip(one.parts, one.parts[1:], strict=False):
            assert part.from_ns < part.to_ns <= following.from_ns
        ends[one.track] = one.whole.to_ns


@pytest.mark.parametrize("seed", range(5))
def test_both_formats_have_them_all(seed: int) -> None:
    found = tracks_of(_random(seed)).exchanges
    slices = sum(1 + len(one.parts) for one in found)
    tracks = {one.track for one in found}
    rows = json.loads("".join(chrome.render(drawn(_random(seed)), {})))["traceEvents"]
    named = {row["args"]["name"]: row["tid"] for row in rows if row["name"] == "thread_name"}
    assert tracks <= named.keys()
    own = {named[track] for track in tracks}
    assert sum(row["ph"] == "X" and row["tid"] in own for row in rows) == slices
    pytest.importorskip("perfetto")
    data = b"".join(perfetto.render(drawn(_random(seed)), {7: "api"}))
    check(data)
    groups = {one.group for one in found}
    described = [p.track_descriptor for p in packets(data) if p.HasField("track_descriptor")]
    uuids = {one.name: one.uuid for one in described}
    assert tracks | groups <= uuids.keys()
    begun = [p for p in packets(data) if p.track_event.name]
    connections = {uuids[track] for track in tracks}
    assert sum(p.track_event.track_uuid in connections for p in begun) == slices

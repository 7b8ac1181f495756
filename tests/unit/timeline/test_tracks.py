"""Events as tracks."""

import json
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from iotrace.timeline.drawing import Slice
from iotrace.timeline.recorded_events import BadTimeline, Opened, Timeline, decode, encode_names
from iotrace.timeline.tracks import (
    COPY,
    ENTER,
    EXIT,
    PREEMPT,
    READY,
    RUN,
    SLEEP,
    WAKE,
    tracks_of,
)
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.timeline.made import RECV, blocking_read, packed, random_timeline


def test_a_blocking_read() -> None:
    tracks = tracks_of(blocking_read())
    (thread,) = tracks.threads
    assert thread.calls == (
        Slice("recvfrom", 1_000, 6_900, {"fd": 3, "asked_bytes": 65_536, "returns": 1_000}),
    )
    assert thread.states == (
        Slice("kernel", 1_000, 1_100),
        Slice("wait.recv", 1_100, 6_100),
        Slice("runq", 6_100, 6_600),
        Slice("kernel", 6_600, 6_700),
        Slice("copy", 6_700, 6_900, flow=1),
        Slice("user", 6_900, 8_000),
        Slice("runq", 8_000, 9_000),
        Slice("user", 9_000, 10_000),
    )
    assert [(one.name, one.at_ns) for one in thread.signals] == [("signal 10", 10_000)]
    assert [(one.at_ns, one.flow) for one in tracks.arrivals] == [(6_000, 1)]


def test_events_may_come_out_of_order() -> None:
    whole = blocking_read()
    rows = [whole.packed[at : at + 32] for at in range(0, len(whole.packed), 32)]
    assert tracks_of(replace(whole, packed=b"".join(reversed(rows)))) == tracks_of(whole)


def test_data_that_nobody_took_has_no_arrow() -> None:
    tracks = tracks_of(replace(blocking_read(), opened=()))
    assert [one.flow for one in tracks.arrivals] == [None]
    assert {state.flow for state in tracks.threads[0].states} == {None}
    other = replace(blocking_read(), opened=(Opened(7, 3, 98, 0),))
    assert [one.flow for one in tracks_of(other).arrivals] == [None]


def test_a_descriptor_is_what_it_was_at_that_time() -> None:
    opened = (Opened(7, 3, 98, 0), Opened(7, 3, 99, 900), Opened(7, 3, 97, 50_000))
    tracks = tracks_of(replace(blocking_read(), opened=opened))
    assert [one.flow for one in tracks.arrivals] == [1]


def test_of_several_arrivals_the_first_is_what_a_read_is_late_for() -> None:
    early = packed((2_000, 99, 0, 0, -1, READY, 0xFFFF))
    timeline = replace(blocking_read(), packed=early + blocking_read().packed)
    assert [(one.at_ns, one.flow) for one in tracks_of(timeline).arrivals] == [
        (2_000, 1),
        (6_000, None),
    ]


def test_a_call_that_has_not_returned_ends_with_the_timeline() -> None:
    timeline = Timeline(packed((10, 0, 7, 7, 3, ENTER, 45), (50, 0, 7, 8, 3, EXIT, 45)), {})
    thread = tracks_of(timeline).threads[0]
    assert thread.calls == (Slice("other", 10, 50, {"fd": 3, "returns": "not before the end"}),)


def test_a_call_whose_return_was_dropped_ends_where_the_next_begins() -> None:
    rows = packed((10, 0, 7, 7, -1, ENTER, 45), (50, 0, 7, 7, -1, ENTER, 44))
    calls = tracks_of(Timeline(rows, {45: "recvfrom"})).threads[0].calls
    assert [(one.name, one.to_ns, one.details["returns"]) for one in calls] == [
        ("recvfrom", 50, "not seen"),
        ("other", 50, "not before the end"),
    ]


def test_a_preempted_copy_goes_on_as_one() -> None:
    """As the probes charge it; a sleep ends a copy."""
    rows = packed(
        (10, 0, 7, 7, 3, ENTER, 45),
        (20, 0, 7, 7, 3, COPY, 45),
        (30, 0, 7, 7, 3, PREEMPT, 45),
        (40, 0, 7, 7, 3, RUN, 45),
        (50, RECV, 7, 7, 3, SLEEP, 45),
        (60, 0, 7, 7, 3, WAKE, 45),
        (70, 0, 7, 7, 3, RUN, 45),
        (80, 9, 7, 7, 3, EXIT, 45),
        (90, 0, 7, 7, -1, PREEMPT, 45),
        (95, 0, 7, 7, -1, RUN, 45),
        (99, 0, 7, 7, -1, ENTER, 45),
    )
    states = tracks_of(Timeline(rows)).threads[0].states
    assert [(one.name, one.from_ns) for one in states] == [
        ("kernel", 10),
        ("copy", 20),
        ("runq", 30),
        ("copy", 40),
        ("wait.recv", 50),
        ("runq", 60),
        ("kernel", 70),
        ("user", 80),
        ("runq", 90),
        ("user", 95),
    ]


def test_a_timeline_of_nothing() -> None:
    tracks = tracks_of(Timeline(b""))
    assert (tracks.threads, tracks.arrivals) == ((), ())


@pytest.mark.parametrize("seed", range(23))
def test_whatever_came_calls_do_not_overlap_and_states_have_no_gap(seed: int) -> None:
    tracks = tracks_of(random_timeline(seed))
    assert len(tracks.threads) == 3
    for thread in tracks.threads:
        for one, other in pairwise(thread.calls):
            assert one.from_ns <= one.to_ns <= other.from_ns
        for one, other in pairwise(thread.states):
            assert one.to_ns == other.from_ns
    begun = [one.flow for one in tracks.arrivals if one.flow is not None]
    ended = [s.flow for thread in tracks.threads for s in thread.states if s.flow is not None]
    assert sorted(begun) == sorted(ended)
    assert len(set(begun)) == len(begun) > 0


def test_what_is_kept_comes_back() -> None:
    whole = blocking_read()
    assert decode(whole.packed, encode_names(whole.calls, whole.opened)) == whole


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (b"x" * 33, b"{}"),
        (b"", b"{}"),
        (b"", b"[]"),
        (b"", b"\xff"),
        (b"", b'{"calls":{"x":"y"},"opened":[]}'),
        (b"", b'{"calls":[],"opened":[]}'),
        (b"", b'{"calls":{},"opened":[[1,2]]}'),
        (b"", b'{"calls":{},"opened":[[1,2,3,null]]}'),
        (b"", b'{"calls":{},"opened":3}'),
        (b"", b"[" * 100_000),
    ],
)
def test_what_makes_no_sense_is_refused(rows: bytes, names: bytes) -> None:
    with pytest.raises(BadTimeline, match="timeline is damaged"):
        decode(rows, names)


def test_names_are_plain_json() -> None:
    assert json.loads(encode_names({1: "a"}, (Opened(1, 2, 3, 4),))) == {
        "calls": {"1": "a"},
        "opened": [[1, 2, 3, 4]],
        "reasons": list(WAIT_REASONS),
    }


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("block", [1, 7, 300])
def test_blocks_are_put_in_order_as_the_whole_is(seed: int, block: int) -> None:
    whole = random_timeline(seed)
    rows = [whole.packed[at : at + 32] for at in range(0, len(whole.packed), 32)]
    random.Random(seed).shuffle(rows)
    blocks = [b"".join(rows[at : at + block]) for at in range(0, len(rows), block)]
    assert list(replace(whole, packed=blocks).events()) == sorted(whole.events())


@pytest.mark.parametrize("name", ["\x1b[31m", "", "x" * 99, "read\n", 3])
@pytest.mark.parametrize("where", ["calls", "reasons"])
def test_what_names_no_call_is_refused(name: object, where: str) -> None:
    """An export repeats these names as they are."""
    names = {"calls": {"45": "recvfrom"}, "opened": [], "reasons": ["recv"]}
    assert decode(b"", json.dumps(names).encode()).calls == {45: "recvfrom"}
    names[where] = {"45": name} if where == "calls" else [name]
    with pytest.raises(BadTimeline) as refused:
        decode(b"", json.dumps(names).encode())
    assert refused.value.why == "its names are unreadable"

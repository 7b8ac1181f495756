"""Timelines as Chrome's and Perfetto's formats, read back."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from iotrace.errors import Unsupported
from iotrace.timeline import chrome, perfetto
from iotrace.timeline.drawing import Drawn
from iotrace.timeline.recorded_events import Timeline
from iotrace.timeline.tracks import drawn, tracks_of
from tests.unit.timeline.made import blocking_read, random_timeline
from tests.unit.timeline.perfetto_reader import check, packets

NAMES = {7: "api", 8: "<script>\\x1b"}


def events(timeline: Timeline) -> list[dict[str, Any]]:
    loaded = json.loads("".join(chrome.render(drawn(timeline), NAMES)))
    assert set(loaded) == {"displayTimeUnit", "traceEvents"}
    rows: list[dict[str, Any]] = loaded["traceEvents"]
    return rows


def test_chrome_of_a_blocking_read() -> None:
    rows = events(blocking_read())
    (call,) = (row for row in rows if row["ph"] == "X" and row["name"] == "recvfrom")
    assert call == {
        "ph": "X", "name": "recvfrom", "ts": 1.0, "dur": 5.9, "pid": 7, "tid": 7,
        "args": {"fd": 3, "asked_bytes": 65_536, "returns": 1_000},
    }  # fmt: skip
    (start,) = (row for row in rows if row["ph"] == "s")
    (end,) = (row for row in rows if row["ph"] == "f")
    (copy,) = (row for row in rows if row["name"] == "copy")
    assert (start["ts"], end["ts"], start["id"]) == (6.0, 6.7, end["id"])
    assert (end["pid"], end["tid"], end["ts"]) == (copy["pid"], copy["tid"], copy["ts"])
    names = {(row["name"], row["args"]["name"]) for row in rows if row["ph"] == "M"}
    assert names == {
        *(("process_name", "sockets"), ("process_name", "api")),
        *(("thread_name", "api"), ("thread_name", "api: states")),
    }


@pytest.mark.parametrize("seed", range(7))
def test_chrome_of_anything(seed: int) -> None:
    rows = events(random_timeline(seed))
    named = {(row["pid"], row["tid"]) for row in rows if row["ph"] == "M"}
    assert {(row["pid"], row["tid"]) for row in rows} <= named
    kinds = Counter(row["ph"] for row in rows)
    assert kinds["s"] == kinds["f"] > 0
    assert min(row["dur"] for row in rows if row["ph"] == "X") >= 0


def test_perfetto_of_a_blocking_read() -> None:
    pytest.importorskip("perfetto")
    data = b"".join(perfetto.render(drawn(blocking_read()), NAMES))
    assert check(data) == {"tracks": 4, "slices": 9, "instants": 2, "flows": 1}
    begun = [
        packet
        for packet in packets(data)
        if packet.track_event.name == "recvfrom" and packet.timestamp == 1_000
    ]
    (call,) = begun
    noted = {one.name: one.int_value for one in call.track_event.debug_annotations}
    assert noted == {"fd": 3, "asked_bytes": 65_536, "returns": 1_000}


@pytest.mark.parametrize("seed", range(23))
def test_perfetto_of_anything(seed: int) -> None:
    pytest.importorskip("perfetto")
    tracks = tracks_of(random_timeline(seed))
    counted = check(b"".join(perfetto.render(drawn(random_timeline(seed)), NAMES)))
    assert counted["slices"] == sum(
        len(thread.calls) + len(thread.states) for thread in tracks.threads
    )
    assert counted["flows"] > 0
    assert counted["tracks"] == 2 + 2 * 3


@pytest.mark.parametrize("form", [chrome, perfetto])
def test_nothing_is_kept_until_the_end(form: Any) -> None:
    pytest.importorskip("perfetto")
    taken = 0

    def things() -> Iterator[Drawn]:
        nonlocal taken
        for thing in drawn(random_timeline(1)):
            taken += 1
            yield thing

    most_at_once = 0
    written = 0
    for _ in form.render(things(), NAMES):
        most_at_once = max(most_at_once, taken - written)
        written = taken
    assert taken > 500
    assert most_at_once == 1


def test_without_the_package_there_is_a_line_to_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "perfetto.trace_builder.proto_builder", None)
    with pytest.raises(Unsupported) as refused:
        perfetto.render(drawn(blocking_read()), {})
    assert refused.value.paste == "pip install perfetto"

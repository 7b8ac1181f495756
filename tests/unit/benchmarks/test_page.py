"""docs/performance.md and docs/requests.md show what benchmarks/*.json hold."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import requests_table
from benchmarks.delays import DELAYS
from benchmarks.latency_servers import SERVERS
from benchmarks.page import between
from benchmarks.results import Results
from benchmarks.table import BEGIN, DOCS, END, document


def test_the_page_is_written_from_the_results() -> None:
    generated = between(DOCS, BEGIN, END)
    assert generated.strip() == document(Results().known).strip(), "make docs"


def test_the_page_of_requests_is_written_from_the_results() -> None:
    generated = between(requests_table.DOCS, requests_table.BEGIN, requests_table.END)
    known = Results(requests_table.RESULTS).known
    assert generated.strip() == requests_table.document(known).strip(), "make docs"


def test_what_is_told_of_delays_and_of_calls_is_near() -> None:
    known = Results(requests_table.RESULTS).known
    assert known["latencies"].keys() == {one.name for one in SERVERS}
    assert known["delays"].keys() == {one.name for one in DELAYS}
    assert list(requests_table.outside(known)) == [], "python -m benchmarks.requests"


_SEEN = {"count": 2003, "mean": 3e6, "p50": 2e6, "p99": 9e6}
_FEWER = {**_SEEN, "count": 2002}
_SLOWER = {**_SEEN, "mean": 4e6}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({}, []),
        ({"server": _FEWER}, ["count"]),
        ({"upstream": _FEWER}, ["count"]),
        ({"behind": [_SEEN, _FEWER]}, ["count"]),
        ({"behind": [_SLOWER, _SEEN]}, ["mean"]),
        ({"server": {**_SEEN, "p99": 8e6}}, ["p99"]),
        ({"unknown": 20}, []),
        ({"unknown": 21}, ["unknown"]),
    ],
)
def test_what_is_not_as_near_as_it_should_be_is_named(
    changed: dict[str, Any], what: list[str]
) -> None:
    near = {"client": _SEEN, "server": _SEEN, "upstream": _SEEN, "behind": None, "unknown": 0}
    found = requests_table.outside({"latencies": {"a server": {**near, **changed}}})
    assert list(found) == [f"a server: {one}" for one in what]


def test_every_counted_call_was_reported() -> None:
    workloads = Results().known["workloads"]
    rows = [row for one in workloads.values() for row in one.get("counts", ())]
    assert rows
    assert all(row["made"] == row["reported"] and row["lost"] == 0 for row in rows)

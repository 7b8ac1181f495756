"""docs/performance.md and docs/requests.md show what benchmarks/*.json hold."""

from __future__ import annotations

from benchmarks import requests_table
from benchmarks.results import Results
from benchmarks.table import BEGIN, DOCS, END, document


def test_the_page_is_written_from_the_results() -> None:
    page = DOCS.read_text(encoding="utf-8")
    generated = page.partition(BEGIN)[2].partition(END)[0]
    assert generated.strip() == document(Results().known).strip(), "make docs"


def test_the_page_of_requests_is_written_from_the_results() -> None:
    page = requests_table.DOCS.read_text(encoding="utf-8")
    generated = page.partition(requests_table.BEGIN)[2].partition(requests_table.END)[0]
    assert (
        generated.strip() == requests_table.document(Results(requests_table.RESULTS).known).strip()
    ), "make docs"


def test_what_is_told_of_delays_and_of_calls_is_near() -> None:
    known = Results(requests_table.RESULTS).known
    assert len(known["latencies"]) == 10
    assert len(known["delays"]) == 8
    outside = list(requests_table.outside(known))
    assert not outside, "python -m benchmarks.requests"


def test_every_counted_call_was_reported() -> None:
    workloads = Results().known["workloads"]
    rows = [row for one in workloads.values() for row in one.get("counts", ())]
    assert rows
    assert all(row["made"] == row["reported"] and row["lost"] == 0 for row in rows)

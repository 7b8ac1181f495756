"""docs/performance.md shows what benchmarks/results.json holds."""

from __future__ import annotations

from benchmarks.results import Results
from benchmarks.table import BEGIN, DOCS, END, document


def test_the_page_is_written_from_the_results() -> None:
    page = DOCS.read_text(encoding="utf-8")
    generated = page.partition(BEGIN)[2].partition(END)[0]
    assert generated.strip() == document(Results().known).strip(), "make docs"


def test_every_counted_call_was_reported() -> None:
    workloads = Results().known["workloads"]
    rows = [row for one in workloads.values() for row in one.get("counts", ())]
    assert rows
    assert all(row["made"] == row["reported"] and row["lost"] == 0 for row in rows)

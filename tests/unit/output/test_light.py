"""What is not known prints n/a, and is null in JSON; the head says what was not looked for."""

from __future__ import annotations

import json
from dataclasses import replace

from iotrace.output import as_csv, as_json, table
from iotrace.output.html.report_page import render as html
from iotrace.output.view_options import View
from iotrace.report.codec import from_dict, to_dict
from tests.unit.light import lit_report
from tests.unit.reports import event_loop

_OUTCOME = "Nothing wrong was found by what light detail knows."
_LIT = lit_report(event_loop())
REPORT = replace(_LIT, processes=(replace(_LIT.processes[0], outcome=_OUTCOME),))
SHOWN = table.render(REPORT, tablefmt="table", view=View(width=150))


def _row(start: str) -> list[str]:
    (line,) = (line for line in SHOWN.splitlines() if line.startswith(start))
    return line.split()


def test_threads_show_the_cpu_alone() -> None:
    # tid, name, wall in two words, cpu, then user, kernel and copy
    assert _row("41234  uvicorn")[4:8] == ["45.9", "n/a", "n/a", "n/a"]


def test_calls_show_sleeps() -> None:
    row = _row("41234  epoll_wait")
    assert row[2:4] == ["n/a", "48,611"]
    assert "n/a" not in row[5:6]


def test_nothing_is_called_healthy() -> None:
    text = " ".join(SHOWN.split())
    assert f"{_OUTCOME} Light detail can't tell: IO101, IO103" in text
    assert "not available" in text


def test_json_has_nulls_and_reasons() -> None:
    data = json.loads(as_json.render(REPORT))
    (process,) = data["processes"]
    assert process["threads"][0]["states_ns"]["user"] is None
    assert process["calls"][0]["calls"] is None
    assert data["quality"]["unavailable"]["latency, waits_ns"]
    assert from_dict(to_dict(REPORT)) == REPORT


def test_csv_leaves_the_cell_empty() -> None:
    first = as_csv.render(REPORT, "calls").splitlines()
    row = dict(zip(first[0].split(","), first[1].split(","), strict=True))
    assert (row['"calls"'], row['"bytes"'], row['"eagain"']) == ('""', '""', '""')
    assert row['"sleeps"'] != '""'


def test_html_can_be_drawn() -> None:
    page = html(REPORT, View())
    assert "s-cpu" in page
    assert "n/a" in page

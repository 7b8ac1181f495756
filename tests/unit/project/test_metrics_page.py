"""docs/agent.md lists every metric, and the files beside it use those that there are."""

from __future__ import annotations

import re

import pytest

from iotrace.metrics.catalogue import METRICS, Kind
from tests.unit.project import metrics_page
from tests.unit.project.places import ROOT


def test_the_page_is_up_to_date() -> None:
    page = metrics_page.PAGE.read_text()
    assert page == metrics_page.updated(page), "make docs"


@pytest.mark.parametrize(
    "path", ["packaging/agent/alerts.yml", "packaging/agent/dashboard.json", "docs/agent.md"]
)
def test_queries_ask_for_metrics_that_there_are(path: str) -> None:
    known = {metric.exposed_name for metric in METRICS}
    for metric in METRICS:
        if metric.kind is Kind.HISTOGRAM:
            known |= {f"{metric.name}_{part}" for part in ("bucket", "count", "sum")}
    used = set(re.findall(r"\biotrace_[a-z_]+", (ROOT / path).read_text()))
    assert used
    assert used <= known

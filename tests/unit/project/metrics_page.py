"""The generated part of docs/agent.md: every metric.

``python -m tests.unit.project.metrics_page`` (``make docs``) writes it anew, between the comments
``<!-- metrics -->`` and ``<!-- end -->``; the rest is written by hand.
"""

from __future__ import annotations

import re

from iotrace.metrics.catalogue import METRICS, Metric
from tests.unit.project.places import ROOT

PAGE = ROOT / "docs/agent.md"
_BLOCK = re.compile(r"<!-- metrics -->\n.*?<!-- end -->\n", re.DOTALL)


def updated(page: str) -> str:
    """The page with its table as it should be."""
    rows = "\n".join(_row(metric) for metric in METRICS)
    table = f"| metric | type | labels | from | meaning |\n|---|---|---|---|---|\n{rows}\n"
    return _BLOCK.sub(lambda _: f"<!-- metrics -->\n{table}<!-- end -->\n", page)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    needs = "" if metric.of_agent else metric.needs
    return f"| `{metric.exposed_name}` | {metric.kind.value} | {labels} | {needs} | {metric.help} |"


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))

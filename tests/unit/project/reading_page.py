"""The generated parts of docs/reading-a-report.md: wait reasons, and what each column means.

``python -m tests.unit.project.reading_page`` (``make docs``) writes them anew. Each stands between
two comments, ``<!-- columns of threads -->`` and ``<!-- end -->``; the rest is written by hand.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable

from iotrace.vocabulary.waits import WAITS
from tests.unit.project.places import ROOT

PAGE = ROOT / "docs/reading-a-report.md"
_BLOCK = re.compile(r"<!-- (wait reasons|columns of (\w+)) -->\n.*?<!-- end -->\n", re.DOTALL)


def updated(page: str) -> str:
    """The page with its tables as they should be."""
    return _BLOCK.sub(_block, page)


def _block(found: re.Match[str]) -> str:
    return f"<!-- {found[1]} -->\n{_columns(found[2]) if found[2] else _reasons()}<!-- end -->\n"


def _reasons() -> str:
    rows = ((reason.name, reason.asleep_in) for reason in WAITS)
    return _table("reason", "asleep in", rows)


def _columns(table: str) -> str:
    """Of a module of iotrace/output/tables."""
    orders = importlib.import_module(f"iotrace.output.tables.{table}_table").ORDERS
    return _table("column", "meaning", ((title, one.meaning) for title, one in orders.items()))


def _table(name: str, text: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {name} | {text} |", "|---|---|", *(f"| `{one}` | {of} |" for one, of in rows)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))

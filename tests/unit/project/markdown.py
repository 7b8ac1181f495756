"""Tables of the project's own pages."""

from __future__ import annotations

import re

from tests.unit.project.places import ROOT

_ROW = re.compile(r"^\|(.*)\|$")


def table(page: str, *columns: str, under: str = "") -> list[tuple[str, ...]]:
    """The rows of the one table that has these columns, in a page or below one of its headings.

    Backquotes are left in.
    """
    lines = (ROOT / page).read_text().splitlines()
    if under:
        assert lines.count(f"## {under}") == 1, (page, under)
        lines = lines[lines.index(f"## {under}") + 1 :]
        lines = lines[: next((i for i, line in enumerate(lines) if line.startswith("## ")), None)]
    head = f"| {' | '.join(columns)} |"
    assert lines.count(head) == 1, (page, under, head)
    rows = []
    for line in lines[lines.index(head) + 2 :]:
        found = _ROW.match(line)
        if not found:
            break
        rows.append(tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", found[1])))
    return rows


def names(cell: str) -> list[str]:
    """What stands in backquotes in a cell."""
    return re.findall(r"`([^`]+)`", cell)

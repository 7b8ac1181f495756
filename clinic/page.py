# SPDX-License-Identifier: Apache-2.0
"""The table in docs/clinic.md: ``python -m clinic --write-docs`` (``make docs``) writes it anew.

It stands between two comments; the rest of the page is written by hand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from clinic import results
from clinic.case import Case, all_cases

PAGE = Path(__file__).parents[1] / "docs/clinic.md"
_BLOCK = re.compile(r"(<!-- cases -->\n).*?(<!-- end -->\n)", re.DOTALL)
_ADDRESS = re.compile(r"https?://(?:github\.com/)?(.*)")


def updated(page: str) -> str:
    """The page with its tables as they should be."""
    cases = all_cases()
    table = "\n".join((_score(cases), "", *_rows(cases)))
    return _BLOCK.sub(lambda block: f"{block[1]}{table}\n{block[2]}", page)


def write() -> None:
    PAGE.write_text(updated(PAGE.read_text()))


def _score(cases: Sequence[Case]) -> str:
    sick = [case for case in cases if not case.healthy]
    parts = []
    for title, group in (("reports", sick), ("controls", [one for one in cases if one.healthy])):
        if not group:
            continue
        counts = {when: Counter(_verdict(one, when) for one in group) for when in ("first", "now")}
        first, now = (
            ", ".join(f"{count} {verdict}" for verdict, count in counts[when].most_common())
            for when in ("first", "now")
        )
        parts.append(f"- {len(group)} {title}: at the first try {first}; now {now}.")
    return "\n".join(parts)


def _rows(cases: Sequence[Case]) -> list[str]:
    rows = [
        "| case | reported | what a good diagnosis says | first try | now |",
        "|---|---|---|---|---|",
    ]
    for case in cases:
        cells = (
            f"[{case.name}](../clinic/cases/{case.name})",
            f"{case.title} {_addresses(case)}".strip(),
            case.cause,
            _verdict(case, "first"),
            _verdict(case, "now"),
        )
        rows.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return rows


def _addresses(case: Case) -> str:
    names = ", ".join(f"[{_short(address)}]({address})" for address in case.source)
    return f"({names})" if names else ""


def _short(address: str) -> str:
    found = _ADDRESS.fullmatch(address)
    short = found[1] if found else address
    return re.sub(r"/(?:issues|pull|discussions)/", "#", short).rstrip("/")


def _verdict(case: Case, when: str) -> str:
    return str(results.known(case).get(when, {}).get("verdict", "not run"))

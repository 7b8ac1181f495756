"""The generated part of docs/reading-a-report.md: the wait reasons, from iotrace/vocabulary.

``python -m tests.unit.project.reading_page`` (``make docs``) writes it anew, between the comments
``<!-- wait reasons -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re

from iotrace.vocabulary.waits import WAITS
from tests.unit.project.places import ROOT

PAGE = ROOT / "docs/reading-a-report.md"
_BLOCK = re.compile(r"(<!-- wait reasons -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)


def updated(page: str) -> str:
    """The page with its table as it should be."""
    rows = [f"| `{reason.name}` | {reason.asleep_in} |" for reason in WAITS]
    table = "\n".join(["| reason | asleep in |", "|---|---|", *rows])
    page, blocks = _BLOCK.subn(lambda found: f"{found[1]}{table}\n{found[3]}", page)
    assert blocks == 1, f"{PAGE} has {blocks} blocks of wait reasons"
    return page


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))

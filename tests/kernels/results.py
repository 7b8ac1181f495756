# SPDX-License-Identifier: Apache-2.0
"""What the checks on one kernel have found, and the table that tells it."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

_ROW = re.compile(r"^ROW (\{.*\})", re.MULTILINE)
DETAILS = ("full", "sockets", "light")
COLUMNS = (
    "kernel",
    "detail",
    "loads",
    "counts",
    "Python",
    "traces",
    "widest gap",
    "lost",
    "not available",
    "tried",
)
_GAP_LIMIT = 0.001
"""Of a thread's wall time, by which its states may differ from it; and of all time, unaccounted."""
_REFUSAL = "This kernel"
_WITHOUT_URING = frozenset({"aarch64"})
"""Machine types on which guest/counts.py makes no operations."""


@dataclass
class Row:
    """``told``: what guest/checks.py has said, by its names. ``ended``: it was done."""

    name: str
    told: dict[str, Any] = field(default_factory=dict)
    ended: bool = False
    failure: str = ""
    seconds: float = 0.0
    day: str = field(default_factory=lambda: time.strftime("%Y-%m-%d"))

    @classmethod
    def of_console(cls, name: str, console: str) -> Row:
        """What a machine has said before it ended, or hung."""
        row = cls(name)
        for said in _ROW.findall(console):
            row.told |= json.loads(said)
        row.ended = row.told.pop("end", "") == "ended"
        if not row.ended:
            row.failure = "the machine did not come to its end"
        return row

    @property
    def kernel(self) -> str:
        """Its release and machine type, as uname says them."""
        told = self.told
        return f"{told['kernel']} {told['machine']}" if "kernel" in told else self.name

    def passed(self, details: tuple[str, ...], runs: int, refused: bool) -> bool:
        """Whether each detail that was asked for has done all that it should."""
        return self.ended and all(_passed(self.told.get(one), runs, refused) for one in details)

    def _cells(self, detail: str) -> list[str]:
        uring = self.told.get("machine") not in _WITHOUT_URING
        return _cells(self.told.get(detail), self.failure, uring)

    def cells(self, details: tuple[str, ...]) -> list[list[str]]:
        """A list of texts for each detail, one a column."""
        return [[self.kernel, one, *self._cells(one), self.day] for one in details]


def _passed(found: dict[str, Any] | None, runs: int, refused: bool) -> bool:
    if found is None:
        return False
    if refused:
        return bool(found["failures"]) and all(_REFUSAL in why for why in found["failures"])
    return (
        not found["failures"]
        and found["runs"] == runs + 2 + ("python" in found)
        and found.get("counts") == "exact"
        and found.get("python", "exact") == "exact"
        and not found["lost"]
        and max(found["gap"], found["unaccounted"]) <= _GAP_LIMIT
    )


def _cells(found: dict[str, Any] | None, failure: str, uring: bool) -> list[str]:
    if found is None:
        return ["-"] * (len(COLUMNS) - 4) + [failure or "-"]
    gap = max(found["gap"], found["unaccounted"])
    lost = ", ".join(f"{count} {name}" for name, count in sorted(found["lost"].items()))
    unavailable = found.get("unavailable")
    notes = [*found["failures"], *([failure] if failure else [])]
    if unavailable:
        notes += sorted(unavailable)
    loads = unavailable is not None
    return [
        "yes" if loads else "no",
        _counts(found, uring) if loads else "-",
        found.get("python", "-") if loads else "-",
        str(found["runs"]) if loads else "-",
        f"{100 * gap:.2g} %" if loads else "-",
        (lost or "0") if loads else "-",
        "; ".join(notes) or "-",
    ]


def _counts(found: dict[str, Any], uring: bool) -> str:
    """How they were; where the detail counts nothing else on this kernel, of operations only."""
    told: str = found.get("counts", "-")
    if told != "exact" or "counts of socket calls" not in found["unavailable"]:
        return told
    operations = uring and "operations" not in found["unavailable"]
    return "exact (operations)" if operations else "n/a"


def line_of(cells: list[str]) -> str:
    """A line of a table in Markdown."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def head() -> list[str]:
    """The first two lines of the table."""
    return [line_of(list(COLUMNS)), "|---" * len(COLUMNS) + "|"]

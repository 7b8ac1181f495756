"""Lines of the test programs, by the marks that they end in."""

from __future__ import annotations

import re

from iotrace.report.stacks import Frame
from tests.kernel.targets import PROGRAMS

# Ahead of all others: the tests tell what the program does, not what the machine is busy with.
FIRST = ("chrt", "-f", "1")


def marks(program: str) -> dict[int, str]:
    """Line -> mark."""
    lines = (PROGRAMS / program).read_text().splitlines()
    found = {n: re.search(r"# LINE (\w+)", text) for n, text in enumerate(lines, 1)}
    return {number: match[1] for number, match in found.items() if match}


def mark_of(program: str, stack: tuple[Frame, ...]) -> str:
    """The mark of a stack's innermost frame in the program, "" for a line that has none."""
    own = [frame for frame in stack if frame.file.endswith(f"/{program}")]
    return marks(program).get(own[0].line or 0, "") if own else ""

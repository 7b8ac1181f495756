"""Puts the telling parts of report.txt into README.md, between its two comments."""

from __future__ import annotations

import re
from pathlib import Path

_HERE = Path(__file__).parent
_README = _HERE.parents[1] / "README.md"
_PARTS = (("Process ", "Threads ("), ("Threads (", "Event loop"), ("Event loop", "System calls"))
"""Each part: how its first line begins, and how the line after its last one does."""
_BLOCK = re.compile(r"(<!-- docs/sample/report.txt -->\n).*(<!-- end -->)", re.DOTALL)
_COMMAND = re.compile(r"(iotrace attach )\d+( --duration)")


def excerpt(report: str) -> str:
    """The parts, indented for Markdown, with a mark where something was left out."""
    parts = []
    for first, after in _PARTS:
        start = report.index(f"\n{first}") + 1
        parts.append(report[start : report.index(f"\n{after}", start)].strip("\n"))
    text = "\n\n[...]\n\n".join(parts)
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def main() -> None:
    """Rewrites README.md."""
    report = (_HERE / "report.txt").read_text()
    pid = report[report.index("\nProcess ") :].split()[1]
    page = _COMMAND.sub(rf"\g<1>{pid}\g<2>", _README.read_text())
    block = f"\n{excerpt(report)}\n\n"
    _README.write_text(_BLOCK.sub(lambda found: found[1] + block + found[2], page))


if __name__ == "__main__":
    main()

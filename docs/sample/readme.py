"""Puts the verdict and the first finding of report.txt into README.md, between its two comments."""

from __future__ import annotations

import re
from pathlib import Path

_HERE = Path(__file__).parent
_README = _HERE.parents[1] / "README.md"
_BLOCK = re.compile(r"(<!-- docs/sample/report.txt -->\n).*(<!-- end -->)", re.DOTALL)
_COMMAND = re.compile(r"(iotrace attach )\d+( --duration)")
_FINDING = re.compile(r"^(?:HIGH|MEDIUM|LOW) IO\d+: ", re.MULTILINE)


def excerpt(report: str) -> str:
    """From the process's head to the end of its first finding, indented for Markdown."""
    start = report.index("\nProcess ") + 1
    finding = _FINDING.search(report, start)
    if finding is None:
        raise SystemExit("the report has no finding: nothing to show")
    text = report[start : report.index("\n\n", finding.start())]
    return "\n".join(f"    {line}".rstrip() for line in [*text.splitlines(), "", "[...]"])


def main() -> None:
    """Rewrites README.md."""
    report = (_HERE / "report.txt").read_text()
    pid = report[report.index("\nProcess ") :].split()[1]
    page = _COMMAND.sub(rf"\g<1>{pid}\g<2>", _README.read_text())
    block = f"\n{excerpt(report)}\n\n"
    _README.write_text(_BLOCK.sub(lambda found: found[1] + block + found[2], page))


if __name__ == "__main__":
    main()

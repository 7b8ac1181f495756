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
    """The first finding, and what the process is and did, indented for Markdown."""
    finding = _FINDING.search(report)
    if finding is None:
        raise SystemExit("the report has no finding: nothing to show")
    found = report[finding.start() : report.index("\n\n", finding.start())]
    # Under the heading, its rule and the command line.
    _, what_it_is, *_ = report[report.index("\nProcess ") + 1 :].split("\n\n", 2)
    verdict, summary = what_it_is.split("\n", 1)
    summary = summary.split("\n- ", 1)[0]
    lines = [*found.splitlines(), "", "[...]", "", verdict, *summary.splitlines(), "[...]"]
    return "\n".join(f"    {line}".rstrip() for line in lines)


def main() -> None:
    """Rewrites README.md."""
    report = (_HERE / "report.txt").read_text()
    pid = report[report.index("\nProcess ") :].split()[1]
    page = _COMMAND.sub(rf"\g<1>{pid}\g<2>", _README.read_text())
    block = f"\n{excerpt(report)}\n\n"
    _README.write_text(_BLOCK.sub(lambda found: found[1] + block + found[2], page))


if __name__ == "__main__":
    main()

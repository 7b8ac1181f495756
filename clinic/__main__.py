# SPDX-License-Identifier: Apache-2.0
"""Run cases of the clinic: `make clinic`.

    sudo .venv/bin/python -m clinic [--iotrace PATH] [--keep DIR] [--times N] [CASE...]

Prints a line for each run, and keeps what it said in the case's results.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from clinic import page, results
from clinic.case import CASES, Case, all_cases, load
from clinic.judge import Verdict, judged
from clinic.stage import Broken, Recorded, record


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 if not all were right."""
    options = _parser().parse_args(arguments)
    if options.write_docs:
        page.write()
        return 0
    cases = [load(CASES / name) for name in options.cases] or all_cases()
    score = Counter[str]()
    for case in cases:
        for _ in range(options.times):
            verdict = _tried(case, options.iotrace, options.keep)
            score[verdict.verdict] += 1
            print(f"{verdict.verdict:7} {case.name:34} {verdict}", flush=True)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in score.most_common())
    print(f"{score['right']} of {score.total()} right: {counts}")
    return int(score["right"] != score.total())


def _tried(case: Case, iotrace: str, keep: Path | None) -> Verdict:
    try:
        recorded = record(case, iotrace)
    except Broken as broken:
        return Verdict("broken", (str(broken),))
    if keep:
        _keep(keep / case.name, recorded)
    verdict = judged(case, recorded)
    results.keep(case, verdict)
    return verdict


def _keep(directory: Path, recorded: Recorded) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "report.txt").write_text(recorded.text)
    (directory / "report.json").write_text(json.dumps(recorded.report))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clinic", description="Run cases of the clinic.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="names; all if none is given")
    parser.add_argument("--iotrace", default=str(Path(sys.executable).parent / "iotrace"))
    parser.add_argument("--keep", type=Path, help="keep the reports in this directory")
    parser.add_argument("--times", type=int, default=1, help="run each case so often")
    parser.add_argument("--write-docs", action="store_true", help="write docs/clinic.md's table")
    return parser


if __name__ == "__main__":
    sys.exit(main())

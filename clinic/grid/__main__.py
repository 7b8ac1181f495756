# SPDX-License-Identifier: Apache-2.0
"""Run cells of the grid: `make grid`.

    sudo .venv/bin/python -m clinic.grid [--keep DIR] [--number N] [--seed N] [CELL...]
    .venv/bin/python -m clinic.grid --again DIR

A cell is FAULT@PROGRAM; without names, N of them are drawn. --again judges those that were kept,
by the rules of today.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from clinic import stage
from clinic.case import load
from clinic.grid.cells import all_cells, written
from clinic.judge import Verdict, judged


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 if not all were right."""
    options = _parser().parse_args(arguments)
    if options.again:
        names = options.cells or sorted(path.name for path in options.again.iterdir())
    else:
        drawn = random.Random(options.seed).sample(sorted(all_cells()), options.number)
        names = options.cells or drawn
    score = Counter[str]()
    for name in names:
        verdict = _tried(name, options)
        score[verdict.verdict] += 1
        print(f"{verdict.verdict:7} {name:36} {verdict}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in score.most_common()))
    return int(score["right"] != score.total())


def _tried(name: str, options: argparse.Namespace) -> Verdict:
    try:
        if options.again:
            directory = options.again / name
            recorded = stage.printed(options.iotrace, directory / "report.json")
        else:
            directory = options.keep / name
            shutil.rmtree(directory, ignore_errors=True)
            recorded = stage.record(written(name, directory), options.iotrace)
            (directory / "report.json").write_text(json.dumps(recorded.report))
        (directory / "report.txt").write_text(recorded.text)
    except stage.Broken as broken:
        return Verdict("broken", (str(broken),))
    return judged(load(directory), recorded, first=1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clinic.grid", description="Run cells of the grid.")
    parser.add_argument("cells", nargs="*", metavar="CELL", help="names; drawn if none is given")
    parser.add_argument("--number", type=int, default=20, help="how many are drawn")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--iotrace", default=str(Path(sys.executable).parent / "iotrace"))
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "iotrace-grid")
    parser.add_argument("--again", type=Path, help="judge the cells that were kept here anew")
    return parser


if __name__ == "__main__":
    sys.exit(main())

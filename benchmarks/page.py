# SPDX-License-Identifier: Apache-2.0
"""The generated part of a page, between two marks, and tables in Markdown."""

from __future__ import annotations

from pathlib import Path

from tabulate import tabulate


def write_between(path: Path, begin: str, end: str, text: str) -> None:
    """Put it between the marks. Raises ValueError where the page has none."""
    before, _, after = _parts(path, begin, end)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def between(path: Path, begin: str, end: str) -> str:
    """What stands there. Raises ValueError where the page has no such marks."""
    return _parts(path, begin, end)[1]


def _parts(path: Path, begin: str, end: str) -> tuple[str, str, str]:
    before, begins, rest = path.read_text(encoding="utf-8").partition(begin)
    inside, ends, after = rest.partition(end)
    if not begins or not ends:
        raise ValueError(f"{path} has no {begin.strip()} with its end")
    return before, inside, after


def table_of(rows: list[list[str]], headers: list[str]) -> str:
    """A table in Markdown; cells are as they are given."""
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)

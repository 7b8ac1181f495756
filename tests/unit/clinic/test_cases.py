"""The clinic's cases are well-formed, and docs/clinic.md lists them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clinic import page
from clinic.case import CASES, load


@pytest.mark.parametrize("path", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_case(path: Path) -> None:
    case = load(path)
    assert (path / "start").read_text().count("\nready ") == 1
    assert case.healthy or case.source
    assert all(address.startswith("https://") for address in case.source)


def test_page_lists_the_cases() -> None:
    text = page.PAGE.read_text()
    assert page.updated(text) == text, "run: make docs"


def test_line_of_a_mark(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("one\ntwo  # <- cause\n")
    _write(tmp_path, must=[{"line": "cause"}])
    demand = load(tmp_path).must[0]
    assert demand.met_by("lines app.py:2 f -> read")
    assert not demand.met_by("lines app.py:21 f -> read")


@pytest.mark.parametrize(
    "said",
    [{"must": [{"line": "nowhere"}]}, {"must": [{"word": "a"}]}, {}, {"healthy": True, "musts": 1}],
)
def test_refuses(said: dict[str, object], tmp_path: Path) -> None:
    _write(tmp_path, **said)
    with pytest.raises(ValueError, match=r"case\.json|no line"):
        load(tmp_path)


def _write(directory: Path, **said: object) -> None:
    (directory / "case.json").write_text(json.dumps({"title": "t", "cause": "c", **said}))

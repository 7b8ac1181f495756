"""No field of a row is left at its default because nobody has thought of it."""

from __future__ import annotations

import ast
import dataclasses

import pytest

from iotrace.report.model import Call, Descriptor, Loop, Operation, Signal, Thread, Upstream
from tests.unit.project.places import ROOT

_SET_LATER = {
    (Thread, "model"): "iotrace/verdict/judge.py",
    (Call, "slept_ns"): "iotrace/report_builder/unavailable_fields.py",
}
"""Fields that the row's function leaves out, and who sets them."""


def _named_by(row: type) -> set[str]:
    """The fields that report_builder names where it makes such a row."""
    names = [field.name for field in dataclasses.fields(row)]
    found: set[str] = set()
    for path in (ROOT / "iotrace/report_builder").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == row.__name__:
                found |= {one.arg for one in node.keywords if one.arg} | {*names[: len(node.args)]}
    return found


@pytest.mark.parametrize(
    "row",
    [Thread, Call, Descriptor, Loop, Operation, Signal, Upstream],
    ids=lambda row: row.__name__,
)
def test_every_field_of_a_row_is_set(row: type) -> None:
    named = _named_by(row)
    later = {name for kind, name in _SET_LATER if kind is row}
    left = [one.name for one in dataclasses.fields(row) if one.name not in named | later]
    assert not left, (
        f"iotrace/report_builder: the function that makes a {row.__name__} does not set {left}"
    )


@pytest.mark.parametrize(("field", "path"), _SET_LATER.items(), ids=str)
def test_the_others_are_set_where_it_is_said(field: tuple[type, str], path: str) -> None:
    assert f"{field[1]}=" in (ROOT / path).read_text(), f"{path} does not set {field[1]}"

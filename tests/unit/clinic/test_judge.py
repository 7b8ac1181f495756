"""Verdicts of the clinic on made reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinic.case import Case, Demand
from clinic.judge import judged
from clinic.stage import Recorded

_SICK = Case(Path("sick"), "title", "cause", must=(Demand("GC", "garbage"), Demand("line", "a:7")))
_WELL = Case(Path("well"), "title", "cause", healthy=True)
_CAUSE = {"severity": "high", "id": "IO1", "title": "Garbage", "lines": ["a:7 f"]}
_OTHER = {"severity": "medium", "id": "IO2", "title": "Something else", "lines": []}
_LOW = {**_OTHER, "severity": "low"}


def _verdict(case: Case, *findings: dict[str, object], text: str = "") -> str:
    return judged(case, Recorded(text, {"findings": list(findings)})).verdict


@pytest.mark.parametrize(
    ("findings", "text", "expected"),
    [
        ((_CAUSE,), "", "right"),
        ((_OTHER, _CAUSE), "", "right"),
        ((_OTHER, _LOW, _CAUSE), "", "partly"),
        ((_OTHER,), "garbage a:7", "partly"),
        ((_OTHER,), "garbage", "wrong"),
        ((_LOW,), "garbage a:7", "silent"),
        ((), "Nothing wrong was found.", "silent"),
        ((_CAUSE,), "Nothing wrong was found.", "partly"),
    ],
)
def test_sick(findings: tuple[dict[str, object], ...], text: str, expected: str) -> None:
    assert _verdict(_SICK, *findings, text=text) == expected


@pytest.mark.parametrize(
    ("findings", "expected"), [((), "right"), ((_LOW,), "right"), ((_OTHER,), "wrong")]
)
def test_healthy(findings: tuple[dict[str, object], ...], expected: str) -> None:
    assert _verdict(_WELL, *findings, text="Nothing wrong was found.") == expected


def test_says_what_is_lacking() -> None:
    verdict = judged(_SICK, Recorded("", {"findings": [_OTHER]}))
    assert verdict.lacks == ("GC", "line")
    assert str(verdict) == "medium IO2 Something else | lacks: GC, line"

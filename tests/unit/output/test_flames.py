"""Flame graphs: the folded format, and speedscope's by its published schema."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from iotrace.output import formats
from iotrace.report.model import Report
from iotrace.report.stacks import Frame, Line
from tests.unit import reports

# In the npm package speedscope (1.25.0 when last tried); put there by `.ci/setup tests`.
_PUBLISHED = Path(sys.prefix) / "speedscope" / "file-format-schema.json"

# What that says of a sampled profile, and no more than that: it lets unknown members pass.
_INDEX = {"type": "integer", "minimum": 0}
_SCHEMA = {
    "type": "object",
    "required": ["$schema", "shared", "profiles"],
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "name": {"type": "string"},
        "exporter": {"type": "string"},
        "activeProfileIndex": _INDEX,
        "shared": {
            "type": "object",
            "required": ["frames"],
            "properties": {
                "frames": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string"},
                            "file": {"type": "string"},
                            "line": {"type": "integer", "minimum": 1},
                        },
                        "additionalProperties": False,
                    },
                }
            },
        },
        "profiles": {
            "type": "array",
            "items": {
                "type": "object",
                "required": [
                    *("type", "name", "unit", "startValue", "endValue", "samples", "weights")
                ],
                "properties": {
                    "type": {"const": "sampled"},
                    "name": {"type": "string"},
                    "unit": {"const": "nanoseconds"},
                    "startValue": {"const": 0},
                    "endValue": {"type": "number"},
                    "samples": {"type": "array", "items": {"type": "array", "items": _INDEX}},
                    "weights": {"type": "array", "items": {"type": "number", "minimum": 0}},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}

_STACK = (
    Frame("fetch;price", "/srv/orders.py", 88, True),
    Frame("main", "/srv/app/main.py", 7, True),
    Frame("<module>", "/srv/serve.py", None),
)


def _report() -> Report:
    lines = (
        Line(7, "recvfrom", "tcp", 9, 3, 0, 5_000_000, 4_000_000, 1_000_000, 0, 2, 0, _STACK),
        Line(7, "futex", "gil", None, 1, 0, 2_000_000, 2_000_000, 0, 0, 2, 0, _STACK[1:]),
        Line(7, "read", "file", 3, 1, 0, 2_000_000, 0, 0, 2_000_000, 2, 0, _STACK),
    )
    report = reports.event_loop()
    processes = (replace(report.processes[0], pid=42, name="web", lines=lines),)
    return replace(report, processes=processes)


def test_folded_has_the_outermost_frame_first_and_the_call_as_the_leaf() -> None:
    shown = formats.render(_report(), "folded").splitlines()
    outer = "web (42);<module> (serve.py:?);main* (app/main.py:7)"
    assert shown == [
        f"{outer};[futex gil] 2000",
        f"{outer};fetch,price* (orders.py:88);[recvfrom tcp] 5000",
    ]


@pytest.fixture(params=["published", "strict"])
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The published schema, and our own stricter one, which needs no network."""
    if request.param == "strict":
        return _SCHEMA
    if not _PUBLISHED.exists():
        pytest.skip("needs the npm package speedscope (.ci/setup tests, with npm)")
    published: dict[str, Any] = json.loads(_PUBLISHED.read_text())
    return published


def test_speedscope_is_what_its_schema_says(schema: dict[str, Any]) -> None:
    for report in (_report(), reports.hostile(), reports.event_loop()):
        whole = json.loads(formats.render(report, "speedscope"))
        jsonschema.validate(whole, schema)
        for profile in whole["profiles"]:
            assert len(profile["samples"]) == len(profile["weights"])
            assert profile["endValue"] == sum(profile["weights"])
            highest = max(max(sample) for sample in profile["samples"])
            assert highest < len(whole["shared"]["frames"])


def test_the_schema_refuses_what_is_no_profile(schema: dict[str, Any]) -> None:
    whole = json.loads(formats.render(_report(), "speedscope"))
    whole["profiles"][0]["unit"] = "hours"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole, schema)


def test_speedscope_holds_each_place_once() -> None:
    whole = json.loads(formats.render(_report(), "speedscope"))
    names = [frame["name"] for frame in whole["shared"]["frames"]]
    assert len(names) == len(set(names)) == 5
    first = whole["profiles"][0]["samples"][0]
    leaves = [names[place] for place in first][-2:]
    assert leaves == ["fetch;price* (orders.py:88)", "[recvfrom tcp]"]

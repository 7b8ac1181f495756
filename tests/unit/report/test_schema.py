"""The published schema is current, and it agrees with the codec."""

import json
from dataclasses import is_dataclass
from pathlib import Path

import jsonschema
import pytest

from iotrace.output import formats
from iotrace.report import model, schema, stacks
from iotrace.report.codec import BadReport, from_dict, to_dict
from tests.unit import reports
from tests.unit.random_reports import random_report
from tests.unit.report.test_codec import BROKEN, DELETE

PUBLISHED = Path(__file__).parents[3] / "docs" / "report.schema.json"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text(encoding="utf-8")))


def test_the_published_file_is_current() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema.text(), (
        "python -m iotrace.report.schema > docs/report.schema.json"
    )


def test_it_is_a_schema(validator: jsonschema.Draft202012Validator) -> None:
    validator.check_schema(validator.schema)


def test_it_defines_every_dataclass_of_the_report() -> None:
    defined = schema.schema()["$defs"]
    assert isinstance(defined, dict)
    everything = {**vars(model), **vars(stacks)}
    assert set(defined) == {name for name, kind in everything.items() if is_dataclass(kind)}


@pytest.mark.parametrize(
    "report",
    [reports.event_loop(), reports.hostile(), reports.thread_pool(3), reports.report()],
)
def test_a_rendered_report_is_valid(
    report: model.Report, validator: jsonschema.Draft202012Validator
) -> None:
    validator.validate(json.loads(formats.render(report, "json")))


@pytest.mark.parametrize("seed", range(23))
def test_a_random_report_is_valid(seed: int, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(to_dict(random_report(seed)))


# To JSON Schema 1.0 is a whole number; infinity is no JSON.
INVALID = [(place, value) for place, value, _ in BROKEN if type(value) is not float]


@pytest.mark.parametrize(("place", "value"), INVALID)
def test_what_the_codec_refuses_is_invalid(
    place: tuple[str | int, ...],
    value: object,
    validator: jsonschema.Draft202012Validator,
) -> None:
    data = to_dict(reports.event_loop())
    inner: object = data
    for step in place[:-1]:
        inner = inner[step]  # type: ignore[index]
    if value is DELETE:
        del inner[place[-1]]  # type: ignore[attr-defined]
    else:
        inner[place[-1]] = value  # type: ignore[index]
    with pytest.raises(BadReport):
        from_dict(data)
    assert not validator.is_valid(data)

"""A report as data and back; files from elsewhere are refused with the place and the reason."""

import copy
import json
from typing import Any

import pytest

from iotrace.errors import ExitCode, IotraceError
from iotrace.output import formats
from iotrace.report.codec import BadReport, from_dict, loads, to_dict
from tests.unit import reports
from tests.unit.random_reports import random_report


@pytest.mark.parametrize("seed", range(97))
def test_a_random_report_comes_back_the_same(seed: int) -> None:
    report = random_report(seed)
    assert from_dict(to_dict(report)) == report
    assert loads(json.dumps(to_dict(report))) == report


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", formats.FORMATS)
def test_whatever_can_be_read_can_be_printed(seed: int, name: str) -> None:
    formats.render(random_report(seed), name).encode("utf-8")


@pytest.mark.parametrize(
    "report", [reports.event_loop(), reports.hostile(), reports.prefork(3), reports.report()]
)
def test_a_real_report_comes_back_the_same(report: reports.Report) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(report)))) == report


def test_keys_with_a_default_may_be_missing_as_older_files_lack_them() -> None:
    data = to_dict(reports.event_loop())
    del data["processes"][0]["signals"]
    del data["processes"][0]["threads"][0]["count"]
    assert from_dict(data) == reports.event_loop()


def test_a_whole_number_is_a_real_one_too() -> None:
    data = to_dict(reports.idle())
    data["quality"]["unaccounted_ratio"] = 0
    ratio = from_dict(data).quality.unaccounted_ratio
    assert (ratio, type(ratio)) == (0.0, float)


# Where in the data, what is put there (DELETE: the key goes), and what the error says.
DELETE = object()
THREAD = ("processes", 0, "threads", 0)
BROKEN = [
    (("duration_ns",), "10", "duration_ns: expected a whole number, found '10'"),
    (("duration_ns",), True, "duration_ns: expected a whole number, found True"),
    (("duration_ns",), 1.0, "duration_ns: expected a whole number, found 1.0"),
    (("duration_ns",), None, "duration_ns: expected a whole number, found None"),
    (("duration_ns",), 2**63, "duration_ns: the number does not fit in 64 bits"),
    (("duration_ns",), 10**4000, "duration_ns: the number does not fit in 64 bits"),
    (("duration_ns",), DELETE, 'the report: the key "duration_ns" is missing'),
    (("host",), [], "host: expected an object, found a list"),
    (("host", "cpu"), 1, "host: unknown key 'cpu'"),
    (("host", "\x1b[31m" * 9), 1, "host: unknown key '" + r"\x1b[31m" * 8 + "'..."),
    (
        ("processes", 0, "loops", 0, "busy_ns", "histogram", 3),
        [1, 2],
        "processes[0].loops[0].busy_ns.histogram[3]: expected 3 items, found 2",
    ),
    (
        ("processes", 0, "loops", 0, "busy_ns", "histogram", 3),
        [1, 2, "3"],
        "processes[0].loops[0].busy_ns.histogram[3][2]: expected a whole number, found '3'",
    ),
    (("processes",), {}, "processes: expected a list, found an object"),
    (("processes", 0), 3, "processes[0]: expected an object, found 3"),
    ((*THREAD, "tid"), "x", "processes[0].threads[0].tid: expected a whole number, found 'x'"),
    ((*THREAD, "name"), 5, "processes[0].threads[0].name: expected a text, found 5"),
    (
        (*THREAD, "states_ns", "wait", "love"),
        1,
        "processes[0].threads[0].states_ns.wait: unknown key 'love'",
    ),
    (
        ("processes", 0, "calls", 1, "errors", "E\n"),
        "1",
        "processes[0].calls[1].errors['E\\n']: expected a whole number, found '1'",
    ),
    (
        ("processes", 0, "loops", 0, "trigger"),
        "hair",
        "processes[0].loops[0].trigger: expected one of level, edge, mixed, found 'hair'",
    ),
    (
        ("processes", 0, "loops", 0, "ready", "mean"),
        float("inf"),
        "processes[0].loops[0].ready.mean: the number is not finite",
    ),
    (
        ("processes", 0, "model", "confidence"),
        "1",
        "processes[0].model.confidence: expected a number, found '1'",
    ),
    (
        ("processes", 0, "descriptors", 0, "nonblocking"),
        1,
        "processes[0].descriptors[0].nonblocking: expected true or false, found 1",
    ),
    (
        ("findings", 0, "severity"),
        "fatal",
        "findings[0].severity: expected one of high, medium, low, found 'fatal'",
    ),
    (
        ("findings", 0, "evidence", "longest_ns"),
        [1],
        "findings[0].evidence['longest_ns']: expected a number or a text, found a list",
    ),
    (
        ("findings", 0, "evidence", "longest_ns"),
        True,
        "findings[0].evidence['longest_ns']: expected a number or a text, found True",
    ),
]


@pytest.mark.parametrize(("place", "value", "why"), BROKEN)
def test_what_is_no_report_is_refused(place: tuple[Any, ...], value: object, why: str) -> None:
    data = copy.deepcopy(to_dict(reports.event_loop()))
    inner: Any = data
    for step in place[:-1]:
        inner = inner[step]
    if value is DELETE:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    with pytest.raises(BadReport) as refused:
        from_dict(data)
    assert refused.value.why == why
    assert refused.value.what == "this is not a report that iotrace can read"


@pytest.mark.parametrize("data", [None, 3, "x", [], {}, {"processes": []}])
def test_what_is_not_even_one_of_ours(data: object) -> None:
    with pytest.raises(BadReport, match="this is not an iotrace report"):
        from_dict(data)


@pytest.mark.parametrize(
    ("schema", "shown"),
    [("iotrace.report/3", "'iotrace.report/3'"), (1, "1"), (["x"], "a list"), ("\x1b", r"'\x1b'")],
)
def test_another_schema(schema: object, shown: str) -> None:
    with pytest.raises(BadReport) as refused:
        from_dict({"schema": schema})
    assert refused.value.what == f"this report has the schema {shown}"
    assert refused.value.why == (
        'this version of iotrace reads "iotrace.report/1" and "iotrace.report/2" only'
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("\x1b[31m", "Expecting value: line 1 column 1 (char 0)"),
        ('{"schema": NaN}', "NaN is not JSON"),
        ('{"schema": -Infinity}', "-Infinity is not JSON"),
        (b"\xff\xff", "'utf-8' codec"),
        (b"\x80abc", "'utf-8' codec"),
        ("1" * 5_000, "Exceeds the limit"),
    ],
)
def test_what_is_not_json(text: str | bytes, why: str) -> None:
    with pytest.raises(BadReport, match="this is not a JSON file") as refused:
        loads(text)
    assert refused.value.why.isascii()
    assert why[:12] in refused.value.why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 200_000, "it nests more than 64 lists and objects"),
        ("[[],[" * 60 + "]]" * 60, "it nests more than 64 lists and objects"),
        ("[" + "[]," * 500_000 + "[]]", "it holds more than 500,000 texts, lists and objects"),
        ('{"a":[' + '"ab",' * 500_000 + "{}]}", "it holds more than 500,000 texts, lists and"),
        (json.dumps(dict.fromkeys(map(str, range(99_999)), 0)), "an object has more than 4,096 ke"),
    ],
)
def test_what_is_too_large(text: str, why: str) -> None:
    with pytest.raises(BadReport, match="this report is too large to be read") as refused:
        loads(text)
    assert why in refused.value.why


def test_the_error_is_one_of_the_family() -> None:
    with pytest.raises(IotraceError) as refused:
        loads("{}")
    assert refused.value.code is ExitCode.USAGE
    assert refused.value.paste.startswith("iotrace ")

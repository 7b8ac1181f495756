"""The registry of formats, JSON and CSV."""

import csv
import io
import json
from dataclasses import replace

import pytest
import tabulate

from iotrace.errors import UsageError
from iotrace.output import as_csv, formats
from iotrace.output.view_options import View
from iotrace.report.codec import loads, to_dict
from iotrace.report.model import Call, Descriptor, Loop, Requests, Thread, Upstream
from iotrace.report.shape import choices, fields_of
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit import reports


def read(name: str, report: reports.Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(formats.render(report, name))))


def test_every_name() -> None:
    assert formats.FORMATS[:26] == (
        *("table", "html-report", "json", "jsonl", "folded", "speedscope"),
        *("csv", "csv-calls", "csv-descriptors", "csv-loops", "csv-lines", "csv-samples"),
        *("csv-requests", "csv-request-tiers", "csv-slowest-requests", "csv-upstreams"),
        *("tsv", "tsv-calls", "tsv-descriptors", "tsv-loops", "tsv-lines", "tsv-samples"),
        *("tsv-requests", "tsv-request-tiers", "tsv-slowest-requests", "tsv-upstreams"),
    )
    assert set(tabulate.tabulate_formats) < set(formats.FORMATS)
    assert len(set(formats.FORMATS)) == len(formats.FORMATS)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_each_prints_a_page_that_ends_its_last_line(name: str) -> None:
    assert formats.render(reports.event_loop(), name).endswith("\n")


def test_another_name_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        formats.render(reports.idle(), "xml\x1b")
    assert refused.value.what == "there is no format 'xml\\x1b'"
    assert "table, html-report, json, jsonl, folded" in refused.value.why


def test_json_is_the_report() -> None:
    shown = formats.render(reports.event_loop(), "json")
    assert json.loads(shown) == to_dict(reports.event_loop())
    assert loads(shown) == reports.event_loop()
    assert shown.isascii()


def test_json_holds_every_row_whatever_top_is() -> None:
    shown = json.loads(formats.render(reports.event_loop(), "json", View(top=1)))
    assert len(shown["processes"][0]["descriptors"]) == 415


def test_json_has_no_lone_surrogate_that_strict_readers_refuse() -> None:
    data = json.loads(formats.render(reports.hostile(), "json"))
    assert data["processes"][4]["name"] == "bad\\udcff\\udc80"
    json.dumps(data, ensure_ascii=False).encode("utf-8")


def test_csv_of_threads() -> None:
    threads = read("csv", reports.event_loop())
    assert len(threads) == 4
    first = threads[0]
    assert (first["pid"], first["process"], first["tid"]) == ("41234", "uvicorn", "41234")
    on_cpu_or_ready = ("user", "kernel", "copy", "runq", "unaccounted")
    names = [f"{state}_ns" for state in on_cpu_or_ready]
    names += [f"wait_{reason}_ns" for reason in WAIT_REASONS]
    assert not set(names) - first.keys(), "output/as_csv.py: states without a column"
    states = [int(first[name]) for name in names]
    assert sum(states) == int(first["lifetime_ns"]) == 10_000_000_000
    assert first["wait_poll_ns"] == "5310000000"


@pytest.mark.parametrize(
    "row", [Thread, Call, Descriptor, Loop, Requests, Upstream], ids=lambda row: row.__name__
)
def test_csv_has_every_plain_field(row: type) -> None:
    table = f"{row.__name__.lower().removesuffix('s')}s"
    titles = set(as_csv.titles(table))
    renamed = {"count"} if row is Thread else set()
    plain = {
        field.name
        for field in fields_of(row)
        if set(choices(field.type)) <= {int, float, str, bool, type(None)}
    }
    assert len(plain) > 4
    missing = sorted(plain - titles - renamed)
    assert not missing, f"output/as_csv.py: {table} has no column for {missing} of {row.__name__}"


def test_csv_of_fields_that_it_does_not_name_itself() -> None:
    threads = read("csv", reports.event_loop())
    assert (threads[0]["started_ns"], threads[0]["ended_ns"]) == ("0", "")
    assert "count" not in threads[0], "it is in threads"
    descriptors = read("csv-descriptors", reports.event_loop())
    assert {row["nodelay"] for row in descriptors} <= {"yes", "no", ""}


def test_csv_of_calls() -> None:
    calls = {row["syscall"]: row for row in read("csv-calls", reports.event_loop())}
    assert calls["recvfrom"]["eagain"] == "1009"
    assert calls["recvfrom"]["other_errors"] == "0"
    assert calls["close"]["other_errors"] == "3"
    assert calls["pread64"]["copy_estimated"] == "yes"
    assert calls["recvfrom"]["copy_estimated"] == "no"
    idle = next(row for row in read("csv-calls", reports.idle()))
    assert (idle["calls"], idle["in_flight"], idle["p50_ns"]) == ("0", "1", "")


def test_csv_of_descriptors() -> None:
    descriptors = {row["fd"]: row for row in read("csv-descriptors", reports.event_loop())}
    assert len(descriptors) == 415
    assert descriptors["9"]["peer"] == "192.168.117.0:40000"
    assert descriptors["9"]["pickups"] == "238"
    assert descriptors["9"]["pickup_p99_ns"] == "1870000"
    assert descriptors["6"]["pickups"] == ""
    assert descriptors["9"]["nonblocking"] == "yes"
    assert descriptors["423"]["opened"] == "211"


def test_csv_of_loops() -> None:
    (loop,) = read("csv-loops", reports.event_loop())
    assert (loop["ready_mean"], loop["ready_max"]) == ("2.03", "64")
    assert loop["busy_max_ns"] == "204000000"
    assert loop["zero_timeout"] == "1106"


def test_csv_without_rows_has_its_columns() -> None:
    shown = formats.render(reports.report(), "csv-loops")
    assert shown.startswith('"pid","process","tid","multiplexer"')
    assert len(shown.splitlines()) == 1


def test_csv_quotes_texts_and_leaves_figures_bare() -> None:
    named = replace(reports.idle().processes[0], name='a,"b";c')
    line = formats.render(reports.report(named), "csv").splitlines()[1]
    assert line.startswith('55,"a,""b"";c",55,"idle",1,"",10000000000,')

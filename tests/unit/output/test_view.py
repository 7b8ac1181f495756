"""Rows in the order asked for, columns chosen, colours where they are wanted."""

import json
from dataclasses import replace

import pytest
import tabulate

from iotrace.errors import UsageError
from iotrace.output import color, columns, formats
from iotrace.output.blocks import Table, Tone
from iotrace.output.markup import DEFAULT
from iotrace.output.tables import (
    calls_table,
    descriptors_table,
    loops_table,
    operations_table,
    signals_table,
    threads_table,
)
from iotrace.output.tables import processes_table as summary
from iotrace.output.text import width
from iotrace.output.view_options import View
from iotrace.report.codec import loads
from iotrace.report.model import Finding, Lost, Process
from tests.unit import reports
from tests.unit.output.drawing import rows
from tests.unit.random_reports import random_report

SERVER = reports.event_loop().processes[0]
PROCESS_TABLES = (
    threads_table,
    calls_table,
    descriptors_table,
    loops_table,
    operations_table,
    signals_table,
)


def shown(report: reports.Report, **view: object) -> str:
    return formats.render(report, DEFAULT, View(**view))  # type: ignore[arg-type]


def first_words(table: Table | None, word: int = 0) -> list[str]:
    return [line.split()[word] for line in rows(table, 200)]


def everything() -> list[Process]:
    random = [process for seed in range(20) for process in random_report(seed).processes]
    return [SERVER, *reports.hostile().processes, *random]


@pytest.mark.parametrize("module", PROCESS_TABLES)
def test_every_column_can_be_sorted_by(module: object) -> None:
    printed = set()
    for process in everything():
        table = module.table(process, None)  # type: ignore[attr-defined]
        printed |= {column.title for column in table.columns} if table else set()
    assert printed == set(module.ORDERS)  # type: ignore[attr-defined]


def test_every_column_of_the_processes_can_be_sorted_by() -> None:
    table = summary.table(everything(), "Processes", None)
    assert table is not None
    assert {column.title for column in table.columns} == set(summary.ORDERS)


@pytest.mark.parametrize("sort", columns.TITLES)
def test_sorting_loses_no_row_and_touches_only_tables_with_that_column(sort: str) -> None:
    plain = shown(reports.event_loop(), top=0)
    ordered = shown(reports.event_loop(), top=0, sort=sort)
    assert sorted(plain.splitlines()) == sorted(ordered.splitlines())


def test_figures_sort_from_the_biggest_texts_and_numbers_of_things_by_their_order() -> None:
    assert first_words(threads_table.table(SERVER, None, "tid")) == [
        "41234",
        "41240",
        "41241",
        "41242",
    ]
    assert first_words(threads_table.table(SERVER, None, "vol"))[0] == "41234"
    assert first_words(threads_table.table(SERVER, 2, "name"), 1)[:2] == ["asyncio_0", "asyncio_1"]
    assert first_words(calls_table.table(SERVER, 3, "p99"), 1)[:3] == [
        "futex",
        "epoll_wait",
        "pread64",
    ]


def test_sort_takes_a_name_in_any_case_and_with_dashes() -> None:
    assert first_words(threads_table.table(SERVER, None, "Asleep-In")) == first_words(
        threads_table.table(SERVER, None, "asleep in")
    )


def test_columns_in_the_order_asked_for_and_only_tables_that_have_them() -> None:
    page = shown(reports.event_loop(), columns=("call", "Count", "p99"))
    lines = page.splitlines()
    assert "call           count      p99" in lines
    assert "recvfrom tcp  98,713  10.2 us" in lines
    assert "Event loop of thread 41234" in lines  # has call and p99, but no count
    assert "Threads (4)" not in page
    assert "Data quality" in page  # what is no table stays


def test_a_chosen_column_stays_however_narrow_the_screen() -> None:
    page = shown(reports.event_loop(), columns=("vol", "invol"), width=4)
    assert "\nvol\n───" in page.replace(" ", "")


@pytest.mark.parametrize("name", ["colour", "wait_ns", "\x1b", ""])
def test_an_unknown_column_is_refused_before_anything_is_traced(name: str) -> None:
    for view in (View(columns=(name,)), View(sort=name or "?")):
        with pytest.raises(UsageError) as refused:
            formats.check(DEFAULT, view)
        assert "columns: tid, name, wall, cpu, user" in refused.value.why
        assert refused.value.what.isprintable()


def test_the_paste_line_of_the_refusal_is_right() -> None:
    with pytest.raises(UsageError) as refused:
        columns.check_names(["x"], columns.TITLES)
    words = refused.value.paste.split()
    asked = words[words.index("--columns") + 1].split(",")
    columns.check_names([*asked, words[words.index("--sort") + 1]], columns.TITLES)


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_json_is_whole_whatever_is_asked_for(name: str) -> None:
    for view in (View(columns=("tid",)), View(sort="tid")):
        with pytest.raises(UsageError, match="has no columns"):
            formats.check(name, view)
    formats.check(name, View(top=1))


def test_separated_values_have_names_of_their_own() -> None:
    view = View(columns=("syscall", "p99_ns"), sort="P99-ns", top=3)
    assert formats.render(reports.event_loop(), "tsv-calls", view) == (
        "syscall\tp99_ns\nfutex\t189351656\nfutex\t94562084\nepoll_wait\t459400\n"
    )
    with pytest.raises(UsageError, match="no column 'tid2'"):
        formats.check("csv", View(columns=("tid2",)))


def test_what_is_not_known_is_sorted_last() -> None:
    loops_of = [replace(SERVER.loops[0], tid=tid, watched=None if tid == 2 else tid)
                for tid in (1, 2, 3)]  # fmt: skip
    report = reports.report(reports.process(loops=tuple(loops_of)))
    for sort, expected in (("watched", ["3", "1", '""']), ("trigger", ["1", '""', "3"])):
        view = View(columns=("watched",), sort=sort)
        assert formats.render(report, "tsv-loops", view).split("\n")[1:-1] == expected


def test_json_lines_tell_intervals_from_the_whole() -> None:
    whole = reports.event_loop()
    stream = "".join(
        formats.render(replace(whole, interval=number), "jsonl") for number in (1, 2, None)
    )
    lines = stream.splitlines()
    assert [json.loads(line)["interval"] for line in lines] == [1, 2, None]
    assert loads(lines[2]) == whole
    assert ": " not in lines[0][:200]


def test_a_table_says_which_interval_it_is_of() -> None:
    first = shown(replace(reports.idle(), interval=3)).splitlines()[0]
    assert first.startswith("iotrace 0.1.0: interval 3, 10.0 s from 2025-11-23T08:07:11Z on ")


def test_colours_change_nothing_else() -> None:
    found = reports.event_loop().findings[0]
    findings = tuple(replace(found, severity=severity) for severity in ("high", "medium", "low"))
    lost = replace(reports.event_loop().quality, lost=Lost(calls=3))
    report = replace(reports.event_loop(), findings=findings, quality=lost)
    colored = shown(report, color=True)
    for code in ("1", "2", "36", "1;33", "1;31"):
        assert f"\x1b[{code}m" in colored
        colored = colored.replace(f"\x1b[{code}m", "")
    assert colored.replace("\x1b[0m", "") == shown(report)
    assert "\x1b[1;31mlost " in shown(report, color=True)


def test_a_process_cannot_colour_anything() -> None:
    colored = shown(reports.hostile(), color=True, top=0)
    codes = {part.partition("m")[0] for part in colored.split("\x1b[")[1:]}
    assert codes <= {"0", "1", "2", "36", "1;33", "1;31"}
    assert colored.count("\x1b") == colored.count("\x1b[0m") * 2


@pytest.mark.parametrize("name", [*tabulate.tabulate_formats, "csv", "json"])
def test_only_plain_text_has_colours(name: str) -> None:
    from iotrace.output.markup import style

    colored = formats.render(reports.event_loop(), name, View(color=True))
    boundless = name in ("csv", "json") or name == "tsv" or style(name).boundless
    assert ("\x1b" in colored) is not boundless


def test_tones_cover_each_line_of_a_text() -> None:
    assert color.tint("a\n\nb", Tone.STRONG) == "\x1b[1ma\x1b[0m\n\n\x1b[1mb\x1b[0m"
    assert color.tint("a", Tone.PLAIN) == "a"


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "expected"),
    [
        (None, {"TERM": "xterm"}, True, True),
        (None, {"TERM": "xterm"}, False, False),
        (None, {"TERM": "dumb"}, True, False),
        (None, {}, True, False),
        (None, {"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        (None, {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        (True, {"NO_COLOR": "1"}, False, True),
        (False, {"TERM": "xterm"}, True, False),
    ],
)
def test_when_there_are_colours(
    choice: bool | None, environment: dict[str, str], terminal: bool, expected: bool
) -> None:
    assert color.wanted(choice, environment, terminal) is expected


def test_a_finding_elsewhere_is_shown_whatever_columns_are_asked_for() -> None:
    found = Finding("IO101", "low", "polls", 901, None, None, {}, "stop it", 5_000_000)
    page = shown(replace(reports.prefork(20), findings=(found,)), columns=("wall",))
    assert "polls" in page
    assert max(map(width, page.splitlines())) <= 80

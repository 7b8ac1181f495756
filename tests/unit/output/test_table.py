"""The whole page: composition, width, what is cut."""

from dataclasses import replace
from typing import Any

import pytest
import tabulate

from iotrace.output import table
from iotrace.output.markup import DEFAULT, style
from iotrace.output.text import width
from iotrace.output.view_options import View
from iotrace.report.model import Finding, Model, Report
from tests.unit import reports
from tests.unit.output.drawing import snapshot
from tests.unit.reports import S

TEXT_FORMATS = [name for name in (DEFAULT, *tabulate.tabulate_formats) if not style(name).boundless]

REPORTS = {
    "event loop": reports.event_loop(),
    "12 threads": reports.thread_pool(12),
    "300 threads": reports.thread_pool(300),
    "200 workers": reports.prefork(200),
    "idle": reports.idle(),
    "hostile": reports.hostile(),
    "nothing": reports.report(),
}


def page(report: Report, **options: Any) -> str:
    return table.render(report, tablefmt=DEFAULT, view=View(**options))


def test_an_idle_process_alone() -> None:
    assert page(reports.idle()) == snapshot("""\
iotrace 0.1.0: 10.0 s from 2025-11-23T08:07:11Z on Linux 6.18.0 x86_64, 2 CPUs

Process 55 idle, traced for 10.0 s
══════════════════════════════════
python3 idle.py

Threads (1)
wall: time traced. In % of it: user, kernel and copy (of data to the program):
on a CPU; runq: ready, but no CPU free; asleep in: waiting for what (recv, send:
in any read or write; poll: in select, poll or epoll_wait; +: other waits). vol,
invol: context switches.
tid  name    wall  user  kernel  copy  runq  asleep in   vol  invol
───  ────  ──────  ────  ──────  ────  ────  ──────────  ───  ─────
 55  idle  10.0 s     -       -     -     -  accept 100  110      6

System calls of thread 55 (1)
wait: asleep in it; copy: handing data to the program; p50, p99, max: one call,
from entry to return. EAGAIN: would have blocked. +1: one more has not returned.
call         count  bytes    wait  copy  p50  p99  max
───────────  ─────  ─────  ──────  ────  ───  ───  ───
accept4 tcp    0+1      -  10.0 s     -    -    -    -

Data quality
lost           nothing
unaccounted    0 % of the threads' time
in flight      3 calls had not returned at the end
tracer's CPU   41.0 ms (0.4 % of one CPU for 10.0 s)
kernel memory  9.00 MiB
not available  probe_ns: kernel.bpf_stats_enabled is 0
""")


def test_the_head_of_an_event_loop() -> None:
    head = page(reports.event_loop()).partition("\nThreads")[0]
    assert head == snapshot("""\
iotrace 0.1.0: 10.0 s from 2025-11-23T08:07:11Z on Linux 6.18.0 x86_64, 2 CPUs

Findings (1)
════════════
look at: the line of the program, and what was seen of it. `iotrace explain
IO103` says what IO103 is.

HIGH IO103: A blocking part of a turn stops the event loop
where    process 41234 uvicorn, thread 41234
look at  basket.py:88 total -> computing: 23 times, 3.87 s, 204 ms at most
costs    3.87 s, 38.7 % of the time traced
seen     turns over 50 ms: 23, longest: 204 ms, on cpu: 98.1 %
advice   Move the work out of the loop's thread: await
         loop.run_in_executor(None, work), or a process pool where it holds the
         GIL.

Process 41234 uvicorn (Python 3.11.2), traced for 10.0 s
════════════════════════════════════════════════════════
/srv/shop/.venv/bin/python3 -m uvicorn shop.app:app --host 0.0.0.0 --port 8000 …

Event loop on epoll, level-triggered (confidence 97 %)
- 99.7 % of its wait is in epoll_wait
- 412 descriptors watched, all level-triggered
- 0 ms blocked in recv
Found, see above: HIGH IO103.
""")


def test_a_model_that_is_not_known_has_no_confidence() -> None:
    report = reports.event_loop()
    (process,) = report.processes
    for sure in (0.0, 0.4):
        unknown = Model("unknown", "not enough seen yet", sure, ("3 operations seen",))
        shown = page(replace(report, processes=(replace(process, model=unknown),)))
        assert "confidence" not in shown
        assert "not certain yet, too few reads, accepts and polls have returned\n- 3 op" in shown


def test_a_cost_of_more_than_the_trace_took_says_why() -> None:
    report = reports.event_loop()
    (finding,) = report.findings
    dearer = replace(report, findings=(replace(finding, cost_ns=40 * S),))
    assert "costs    40.0 s, added up over all its threads or requests\n" in page(dearer)


def test_what_is_told_of_several_says_what_of_it_is_one_ones() -> None:
    report = reports.event_loop()
    (finding,) = report.findings
    for names, told in (
        ({"processes": 3, "places": 9}, "9 places of 3 processes"),
        ({"processes": 3, "places": 3}, "3 processes"),
        ({"places": 5}, "5 places"),
        ({}, ""),
    ):
        evidence = {"calls": 7, "costs_here_ns": 4 * S, **names}
        several = replace(report, findings=(replace(finding, cost_ns=40 * S, evidence=evidence),))
        shown = page(several)
        assert f"4.00 s here; 40.0 s added up over {told or 'all'}\n" in shown
        assert (f"alike    {told}; what was seen is of the one named\n" in shown) is bool(told)
        assert "seen     calls: 7\n" in shown


def test_what_the_title_names_is_not_told_again() -> None:
    report = reports.event_loop()
    (finding,) = report.findings
    title = "1 thread hangs in write to a pipe, no end"
    evidence = {"threads": 1, "call": "write", "peer": "rite", "kind": "a pipe", "timed": "no"}
    named = replace(report, findings=(replace(finding, title=title, evidence=evidence),))
    assert "seen     threads: 1, peer: rite, timed: no\n" in page(named)


def test_a_cost_says_what_it_is_and_of_what_a_share() -> None:
    report = reports.event_loop()
    (finding,) = report.findings
    for kind, requests_ns, told in (
        ("wait", 4 * S, "2.00 s of waiting, 50.0 % of the time that requests take"),
        ("wait", None, "2.00 s of waiting, 20.0 % of the time traced"),
        ("cpu", None, "2.00 s of CPU time, 20.0 % of one CPU"),
        ("time", None, "2.00 s, 20.0 % of the time traced"),
    ):
        one = replace(finding, cost_ns=2 * S, cost_kind=kind, requests_ns=requests_ns)
        assert f"costs    {told}\n" in page(replace(report, findings=(one,)))
    free = replace(report, findings=(replace(finding, cost_ns=0),))
    assert "costs" not in page(free).split("Process ", 1)[0]


def test_the_first_line_that_names_a_place_is_where_to_look() -> None:
    report = reports.event_loop()
    lines = ("by package, of its CPU time: grpc 85 %", "app.py:9 index: 20 %", "app.py:3 main: 9 %")
    text = page(replace(report, findings=(replace(report.findings[0], lines=lines),)))
    assert "\nline     by package" in text
    assert "\nlook at  app.py:9 index" in text
    assert "\nline     app.py:3 main" in text


@pytest.mark.parametrize("tablefmt", TEXT_FORMATS)
@pytest.mark.parametrize("name", REPORTS)
def test_no_line_is_wider_than_80_columns(name: str, tablefmt: str) -> None:
    shown = table.render(REPORTS[name], tablefmt=tablefmt)
    assert [line for line in shown.splitlines() if width(line) > 80] == []


@pytest.mark.parametrize("name", ["event loop", "12 threads", "200 workers", "idle"])
def test_the_default_format_has_room_for_every_column(name: str) -> None:
    assert "No room" not in page(REPORTS[name])


@pytest.mark.parametrize("columns", [60, 80, 100, 132, 200])
def test_the_default_format_keeps_to_any_sensible_width(columns: int) -> None:
    shown = page(reports.event_loop(), width=columns)
    assert max(map(width, shown.splitlines())) <= columns


@pytest.mark.parametrize("tablefmt", [DEFAULT, *tabulate.tabulate_formats])
def test_every_format_shows_every_table(tablefmt: str) -> None:
    shown = table.render(reports.event_loop(), tablefmt=tablefmt)
    for word in ("asyncio", "recvfrom tcp", "Data quality", "level", "kernel memory"):
        assert word in shown, word
    assert shown.endswith("\n")
    assert not shown.endswith("\n\n")


def test_top_cuts_each_table_and_none_cuts_nothing() -> None:
    few = page(reports.event_loop(), top=2)
    assert "… and 2 more (20.0 s of wait)" in few  # threads
    assert "… and 413 more (no wait)" in few  # descriptors
    everything = page(reports.event_loop(), top=0)
    assert "more (" not in everything
    assert "192.168.117.161:42877" in everything


def test_legends_are_printed_once() -> None:
    shown = page(reports.prefork(4))
    assert shown.count("Threads (1)") == 4
    assert shown.count("wall: time traced.") == 1


def test_of_200_workers_a_few_are_shown_and_the_rest_summed_up() -> None:
    shown = page(reports.prefork(200))
    assert shown.count("Threads (1)") == 4
    assert "Process 1100 gunicorn" in shown
    assert "Other processes (197)" in shown
    assert "… and 177 more (26.1 min of wait)" in shown
    assert page(reports.prefork(200), top=0).count("Threads (1)") == 201


def test_processes_that_slept_all_along_are_one_line_each() -> None:
    asleep = [
        replace(
            reports.idle().processes[0],
            pid=pid,
            threads=(reports.thread(pid, "idle", 10 * S, accept=0),),
        )
        for pid in (55, 56)
    ]
    shown = page(reports.report(*asleep))
    assert "Process 55" not in shown
    assert "Processes (2)" in shown
    assert "Threads" not in shown


def test_a_finding_stands_before_all_processes() -> None:
    found = Finding("IO101", "low", "polls", 901, None, None, {}, "stop it", 5_000_000)
    whole = replace(reports.prefork(20), findings=(found,))
    shown = page(whole)
    assert shown.index("LOW IO101: polls\nwhere   process 901 gunicorn\n") < shown.index("Process ")
    assert "\nProcess 901 gunicorn" in shown, "its tables stand before those of costlier processes"


def test_a_sleeping_process_with_a_finding_gets_its_head() -> None:
    found = Finding("IO101", "low", "polls", 900, None, None, {}, "stop it", None)
    shown = page(replace(reports.prefork(2), findings=(found,)))
    assert "Process 900 gunicorn" in shown
    assert "LOW IO101: polls\nwhere   process 900 gunicorn\nadvice  stop it\n" in shown


def test_a_healthy_process_is_told_so() -> None:
    (process,) = reports.event_loop().processes
    told = reports.report(replace(process, outcome="Nothing wrong was found."))
    assert page(told).splitlines()[2:5] == ["Findings (none)", "═" * 15, "Nothing wrong was found."]


def test_processes_without_findings_do_not_stand_under_another_ones_advice() -> None:
    report = reports.prefork(2)
    found = Finding("IO101", "low", "polls", 900, None, None, {}, "stop it", None)
    beside = replace(report.processes[0], pid=1_900, outcome="Nothing wrong was found.")
    shown = page(replace(report, processes=(*report.processes, beside), findings=(found,)))
    assert "advice  stop it\n\nProcesses without findings\nProcess 1900 gunicorn: Noth" in shown


def test_no_verdict_is_no_clean_bill() -> None:
    assert "Nothing wrong" not in page(reports.thread_pool(3))


def test_an_empty_report_still_tells_its_quality() -> None:
    assert "Data quality\nlost           nothing\n" in page(reports.report())

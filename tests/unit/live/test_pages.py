"""The pages fit the terminal, whatever they show; and say it in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.live import frame, pages
from iotrace.live.page_rows import Picture
from iotrace.live.picture import advance
from iotrace.live.styled_lines import Line
from iotrace.output.text import width
from iotrace.report.model import Durations, Lost, Report, Upstream
from tests.unit import reports
from tests.unit.light import lit_report
from tests.unit.reports import MS, US, S
from tests.unit.request_rows import LISTENER

_REPORTS = {
    "event loop": reports.event_loop(),
    "thread pool": reports.thread_pool(101),
    "prefork": reports.prefork(13),
    "idle": reports.idle(),
    "hostile": reports.hostile(),
    "nothing": reports.report(),
}


def _picture(report: Report) -> Picture:
    return advance(None, report, report)


def _text(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in lines]


@pytest.mark.parametrize("room", [78, 118, 198])
@pytest.mark.parametrize("name", _REPORTS)
def test_everything_fits_and_is_printable(name: str, room: int) -> None:
    picture = _picture(_REPORTS[name])
    for page, orders in pages.PAGES.values():
        for order in orders or [""]:
            for line in _text(page(picture, order, room)):
                assert line.isprintable()
                assert width(line) <= room
    for line in _text(frame.head(picture, True, 3_600 * 10**9, room)):
        assert line.isprintable()
        assert width(line) <= room
    assert width(_text([frame.quality(picture, room)])[0]) <= room
    for page_name, (_, orders) in pages.PAGES.items():
        for order in orders or [""]:
            assert width(_text([frame.keys(page_name, order, True, room)])[0]) <= room
        assert width(_text([frame.tabs(picture, page_name, room)])[0]) <= room


def test_threads_at_80_columns() -> None:
    lines = _text(pages.threads(_picture(reports.thread_pool(2)), "on CPU", 78))
    assert lines == [
        "██ user   ▓▓ kernel   ▒▒ copy   !! ready, no CPU   ·· asleep",
        "tid  name      calls/s  CPU %  ready  its time              asleep in, %",
        "701  Thread-1      901    4.0    0.4  █···················  recv 95.6",
        "702  Thread-2      901    4.0    0.4  █···················  recv 94.5 lock 1.1",
        "700  python3       210    0.7   <0.1  ····················  poll 99.3",
    ]


def test_a_loops_stalls_are_told_in_words() -> None:
    lines = _text(pages.loops(_picture(reports.event_loop()), "max", 78))
    assert "thread 41234: 23 stalls, 3.87 s in all, 23 just now; longest wait in one call:" in lines
    assert "3.00 ms in pread64 file" in lines


def test_a_finding_says_what_to_do() -> None:
    lines = _text(pages.findings(_picture(reports.event_loop()), "", 78))
    assert lines[2] == "HIGH IO103: A blocking part of a turn stops the event loop"
    assert lines[3].startswith(
        "  process 41234 uvicorn, thread 41234; first seen at 10.0 s; costs 3.87 s"
    )
    assert any(line.startswith("  do    Move the work out of the loop's thread") for line in lines)


def test_losses_are_alarming() -> None:
    picture = _picture(reports.idle())
    assert frame.quality(picture, 78)[0] == ("lost nothing", "faint")
    lossy = replace(picture, quality=replace(picture.quality, lost=Lost(calls=17)))
    assert frame.quality(lossy, 78)[0] == ("LOST 17: INCOMPLETE", "alarm")


def _served(**figures: object) -> Report:
    times = Durations(1190, 237 * US, 3 * MS, 46 * MS, 90 * MS, 133 * MS)
    row = replace(LISTENER, latency_ns=times, exchanges=1190, **figures)  # type: ignore[arg-type]
    peer = Upstream(
        "10.0.0.7:5432", "tcp", 970, 3, 2, 40 * MS, times, replace(times, p50=41 * US), None, 0, {}
    )
    return reports.report(reports.process(requests=(row,), upstreams=(peer,)))


def test_requests_at_80_columns() -> None:
    lines = _text(pages.PAGES["requests"][0](_picture(_served()), "p99", 78))
    assert lines[2:] == [
        "listener        req/s    p50     p99    max  owed  slowest: most in",
        "127.0.0.1:8000    119  237us  46.0ms  133ms     -  pickup sleep 47.8 %",
        "",
        "Calls upstream: their time, and our pickup of the answer",
        "peer           calls/s  theirs p50     p99  pickup p50     p99        owed",
        "10.0.0.7:5432       97       237us  46.0ms      41.0us  46.0ms  2 (40.0ms)",
    ]


def test_the_head_tells_how_the_busiest_listener_does() -> None:
    lines = _text(
        frame.head(_picture(_served(unanswered=3, oldest_unanswered_ns=S)), False, None, 118)
    )
    assert lines[2] == (
        "127.0.0.1:8000: 119 req/s, p50 237us, p99 46.0ms; slowest in pickup sleep, "
        "3 owed, for 1.00s"
    )
    assert len(frame.head(_picture(reports.idle()), False, None, 118)) == 2


def test_a_listener_without_requests_in_the_interval_stays() -> None:
    whole = _served()
    quiet = replace(whole, processes=(replace(whole.processes[0], requests=(), upstreams=()),))
    lines = _text(pages.PAGES["requests"][0](advance(None, whole, quiet), "p99", 78))
    assert lines[3] == "127.0.0.1:8000      -    -    -    -     -  -"


def test_light_detail_says_why_there_are_none() -> None:
    lines = _text(pages.PAGES["requests"][0](_picture(lit_report(_served())), "p99", 78))
    assert lines[-1] == "n/a: light detail has no probe on sockets"

"""The HTML page: self-contained, small, inert whatever a process calls itself."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from iotrace.output import formats
from iotrace.output.html import elements, histogram_chart, lanes, latencies, states
from iotrace.output.html.histogram_chart import Axis
from iotrace.output.text import escape
from iotrace.output.view_options import View
from iotrace.report.model import Percentiles, Report
from iotrace.report.stacks import Frame, Line
from tests.unit import reports
from tests.unit.output.test_hostile import Tags
from tests.unit.reports import KIB, MS, S

PAGES = {
    "event loop": reports.event_loop(),
    "hostile": reports.hostile(),
    "300 threads": reports.thread_pool(300),
    "200 workers": reports.prefork(200),
    "nothing": reports.report(),
}
SERVER = reports.event_loop().processes[0]


def page(report: Report, top: int | None = None) -> str:
    return formats.render(report, "html-report", View(top=top))


class Everything(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_from_anywhere(name: str) -> None:
    shown = page(PAGES[name])
    parser = Everything()
    parser.feed(shown)
    names = {name for name, _ in parser.attributes}
    assert not names & {"src", "href", "srcset", "action", "style", "background", "data", "xlink"}
    assert not [name for name in names if name.startswith("on")]
    assert "url(" not in shown and "@import" not in shown


def test_four_processes_with_all_there_is_to_draw_fit_as_well() -> None:
    everything = replace(
        SERVER,
        calls=tuple(
            reports.call(41234, f"call{number}", "tcp", 9_973 * number, bytes_=KIB,
                         wait_ns=number * S, copy_ns=MS, kernel_ns=S)
            for number in range(1, 98)
        ),
        loops=SERVER.loops * 6,
    )  # fmt: skip
    shown = page(reports.report(*(replace(everything, pid=pid) for pid in range(1, 5))))
    assert shown.count('class="card"') == 4 * (6 + 4 + 1)
    assert len(shown.encode()) < 500_000


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_smaller_than_half_a_megabyte(name: str) -> None:
    assert len(page(PAGES[name]).encode()) < 500_000


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_allows_our_style_and_script_and_nothing_else(name: str) -> None:
    shown = page(PAGES[name])
    ((style,), (script,)) = (
        re.findall(rf"<{tag}>(.*?)</{tag}>", shown, re.DOTALL) for tag in ("style", "script")
    )
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', shown)
    hashes = [
        "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    ]
    assert policy == [
        f"default-src &#x27;none&#x27;; style-src &#x27;{hashes[0]}&#x27;; "
        f"script-src &#x27;{hashes[1]}&#x27;; base-uri &#x27;none&#x27;; "
        "form-action &#x27;none&#x27;"
    ]
    assert shown.index("Content-Security-Policy") < shown.index("<style>")


def test_hostile_names_are_texts() -> None:
    parser = Tags()
    parser.feed(page(reports.hostile(), top=0))
    assert [tag for tag, _ in parser.tags].count("script") == 1
    texts = "".join(parser.text)
    assert [name for name in reports.HOSTILE if escape(name).strip() not in texts] == []


@pytest.mark.parametrize("name", PAGES)
def test_it_is_html(name: str) -> None:
    html5lib = pytest.importorskip("html5lib")
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document = parser.parse(page(PAGES[name]))
    for table in document.iter("table"):
        assert len({len(row) for row in table.iter("tr")}) == 1


def test_every_state_has_a_colour_in_light_and_dark() -> None:
    shown = page(reports.event_loop())
    for state in states.STATES:
        assert len(re.findall(rf"--{state}: #", shown)) == 2, state
        assert re.search(rf"\.s-{state}\b", shown), state


def test_a_bar_is_as_wide_as_its_times() -> None:
    bar = states.bar([("user", 250), ("recv", 0), ("runq", 750)], 1000, "a <label>")
    assert 'x="0" y="0" width="250"' in bar
    assert 'x="250" y="0" width="750"' in bar
    assert "<title>user: 25.0 %, 250 ns</title>" in bar
    assert "recv" not in bar
    assert 'aria-label="a &lt;label&gt;"' in bar


def test_a_bar_of_no_time() -> None:
    assert "<rect" not in states.bar([("user", 0)], 0, "")


def test_threads_that_are_not_drawn_are_counted() -> None:
    drawn = states.section(reports.thread_pool(300).processes[0])
    assert drawn.count('class="row"') == 60
    assert "… and 241 more (" in drawn
    assert states.section(reports.process()) == ""


def test_the_picture_of_an_event_loop() -> None:
    drawn = lanes.section(SERVER)
    labels = re.findall(r"<text[^>]*>(.*?)</text>", drawn)
    assert labels == [
        *("application", "kernel", "calls epoll_wait", "system call"),
        *("waits until one is ready: blocked: 109 us", "ready, waits for a CPU: 1.44 us"),
        *("in the kernel: 4.18 us", "returns what is ready", "goes on", "calls recvfrom tcp"),
        *("system call", "in the kernel: 1.92 us", "copies data to the program: 618 ns"),
        *("returns 541 B", "goes on"),
    ]


def test_the_picture_of_a_blocking_read() -> None:
    call = reports.call(
        7, "recvfrom", "tcp", 10, wait_ns=S, runq_ns=MS, kernel_ns=MS, copy_ns=MS, bytes_=KIB
    )
    drawn = lanes.section(reports.process(calls=(call,)))
    assert "waits for data: blocked: 100 ms" in drawn
    assert "returns 102 B" in drawn
    assert "epoll" not in drawn


def test_no_picture_where_nothing_is_read() -> None:
    assert lanes.section(reports.idle().processes[0]) == ""


def test_an_estimated_copy_says_so() -> None:
    call = reports.call(7, "read", "pipe", 10, wait_ns=S, copy_ns=MS, bytes_=KIB)
    assert "copies data to the program (est.): 100 us" in lanes.section(
        reports.process(calls=(call,))
    )


def test_a_histogram_lies_on_a_logarithmic_axis_and_its_areas_are_its_counts() -> None:
    axis = Axis([1_000, 1_000_000])
    buckets = ((1_000, 10_000, 30), (10_000, 100_000, 15), (100_000, 1_000_000, 1))
    drawn = histogram_chart.drawn(buckets, 3_162, 100_000, axis, "h-wait", "slept <3 ms>")
    # 26 to 334 in three steps of ten times; 38 high, and 19, and 38 / 30.
    assert 'd="M26 50V12H128.7V31H231.3V48.7H334V50"' in drawn
    assert '<path d="M77.3 8V50" class="p50"/>' in drawn
    assert '<path d="M231.3 8V50" class="p99"/>' in drawn
    assert 'aria-label="slept &lt;3 ms&gt;"' in drawn
    assert re.findall(r">([^<]+)</text>", axis.drawn()) == ["1 us", "10 us", "100 us", "1 ms"]


def test_between_buckets_that_do_not_touch_there_is_nothing() -> None:
    axis = Axis([1, 1_000])
    drawn = histogram_chart.drawn(((1, 10, 1), (100, 1_000, 1)), 1, 1, axis, "", "")
    assert 'd="M26 50V12H128.7V50M231.3 50V12H334V50"' in drawn


def test_what_is_rare_is_seen() -> None:
    axis = Axis([1, 100])
    drawn = histogram_chart.drawn(((1, 10, 10**9), (10, 100, 1)), 1, 1, axis, "", "")
    assert "V49.2H334" in drawn


def test_buckets_that_make_no_sense_draw_nothing() -> None:
    axis = Axis(histogram_chart.times_of(((5, 1, 2), (-9, -3, 1), (1, 5, -2)), -(2**63), 2**63 - 1))
    drawn = histogram_chart.drawn(((5, 1, 2), (-9, -3, 1), (1, 5, -2)), 0, 9, axis, "", "")
    assert 'd="V50"' in drawn


def test_where_no_histogram_was_kept_a_line_leads_from_p50_to_p99() -> None:
    call = reports.call(7, "read", "tcp", 10, wait_ns=S)
    latency = Percentiles(1_000, 10_000, 10_000, 10_000, 100_000)
    call = replace(call, latency_ns=latency, waits_ns=None)
    drawn = latencies.section(reports.process(calls=(call,)))
    assert '<rect x="26" y="44" width="308" height="4" class="shape h-call"/>' in drawn
    assert "shape" not in re.findall('<path[^>]*class="([^"]*)"', drawn)


def test_each_call_has_its_phases_and_each_loop_its_lag() -> None:
    drawn = latencies.section(SERVER)
    assert len(re.findall('<figure class="card">', drawn)) == 10 + 1 + 1
    assert drawn.count("h-call") == 10
    assert drawn.count("h-wait") == 5
    assert drawn.count("h-copy") == 3
    assert "48,611 slept: p50 54.6 us, p99 437 us" in drawn
    assert "422 copied (est.): p50 1.93 us" in drawn
    assert "from a return of epoll_wait to its next call" in drawn
    assert "all sockets, 2,309 reads: from the arrival of data to the copy" in drawn
    assert drawn.count("h-loop") == drawn.count("h-pickup") == 1
    assert latencies.section(reports.idle().processes[0]) == ""


def test_calls_that_are_not_drawn_are_counted() -> None:
    drawn = latencies.section(reports.thread_pool(300).processes[0])
    assert drawn.count('class="card"') == 12
    assert "… and 289 more rows of calls" in drawn


def test_top_cuts_tables_and_zero_cuts_nothing() -> None:
    assert page(reports.event_loop(), top=3).count("<tr>") < 20
    assert page(reports.event_loop(), top=0).count("<tr>") > 415
    assert page(reports.prefork(20), top=0).count("<article>") == 21
    assert page(reports.prefork(20)).count("<article>") == 6


def test_the_lines_of_the_program_have_their_table() -> None:
    own = Frame("fetch", "/srv/app.py", 88)
    library = Frame("recv", "/usr/lib/python3.11/socket.py", 7)
    line = Line(7, "recvfrom", "tcp", 3, 1, 0, S, S, 0, 0, S, 1, (library, own))
    shown = page(reports.report(reports.process(lines=(line,))))
    assert "Python lines (1)" in shown
    assert "srv/app.py:88 fetch" in shown
    every = formats.render(
        reports.report(reports.process(lines=(line,))), "html-report", View(all_frames=True)
    )
    assert "socket.py:7 recv" in every


def test_losses_stand_out() -> None:
    from iotrace.report.model import Lost

    lost = replace(reports.idle().quality, lost=Lost(calls=3))
    assert '<dd class="tone-alarm">3 system call updates' in page(
        replace(reports.idle(), quality=lost)
    )


def test_tags() -> None:
    assert elements.tag("p", "<b>", class_="x", title=None) == '<p class="x">&lt;b&gt;</p>'
    assert elements.tag("rect", x=1 / 3, y=2.0) == '<rect x="0.33" y="2"/>'
    assert elements.join("&", elements.tag("br")) == "&amp;<br>"

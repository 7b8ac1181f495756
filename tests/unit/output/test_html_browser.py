"""The HTML page in a real Chromium; skipped where there is none.

`.ci/setup tests` installs it on Debian. Ubuntu has a snap only, which is not tried.
"""

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from iotrace.output import formats
from iotrace.report.model import Report
from tests.unit import reports
from tests.unit.request_rows import LISTENER, upstream

OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or chromium is None:
        pytest.skip("needs chromium and chromedriver (on Debian: apt install chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    profile = tmp_path_factory.mktemp("profile")
    for option in (*OPTIONS, f"--user-data-dir={profile}", "--window-size=1100,900"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    with webdriver.Chrome(options=options, service=service) as running:
        yield running


def opened(browser: Any, report: Report, directory: Path) -> Any:
    (directory / "page.html").write_text(formats.render(report, "html-report"))
    browser.get(f"file://{directory}/page.html")
    return browser


def column(browser: Any, table: int, index: int) -> list[str]:
    cells: list[str] = browser.execute_script(
        "return Array.from(document.querySelectorAll('table')[arguments[0]].tBodies[0].rows,"
        "row => row.cells[arguments[1]].textContent)",
        table,
        index,
    )
    return cells


def click(browser: Any, table: int, index: int) -> None:
    head = browser.find_elements("css selector", "table")[table]
    head.find_elements("css selector", "th button")[index].click()


def test_a_click_sorts(browser: Any, tmp_path: Path) -> None:
    opened(browser, reports.event_loop(), tmp_path)
    calls = 2
    before = column(browser, calls, 5)
    assert before[0] == "-"
    click(browser, calls, 5)  # bytes
    assert column(browser, calls, 5)[:4] == ["388 MiB", "51.0 MiB", "26.0 MiB", "13.0 MiB"]
    click(browser, calls, 5)
    assert column(browser, calls, 5)[-4:] == ["13.0 MiB", "26.0 MiB", "51.0 MiB", "388 MiB"]
    click(browser, calls, 1)  # call, a text
    assert column(browser, calls, 1) == sorted(column(browser, calls, 1))
    click(browser, calls, 9)  # p99: us and ms
    assert column(browser, calls, 9)[:4] == ["189 ms", "94.6 ms", "459 us", "53.4 us"]
    click(browser, calls, 2)  # count, some of them in flight
    assert column(browser, calls, 2)[:3] == ["98,713", "97,704", "48,611"]


@pytest.mark.parametrize("report", [reports.event_loop(), reports.hostile(), reports.report()])
def test_nothing_is_said_on_the_console(browser: Any, tmp_path: Path, report: Report) -> None:
    opened(browser, report, tmp_path)
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.scripts.length") == 1


_SERVED = reports.report(
    reports.process(requests=(LISTENER,), upstreams=(upstream("10.0.0.7:5432", "tcp", "runq"),))
)


@pytest.mark.parametrize("report", [reports.event_loop(), reports.hostile(), _SERVED])
@pytest.mark.parametrize("wide", [360, 1100])
def test_the_page_never_scrolls_sideways(
    browser: Any, tmp_path: Path, report: Report, wide: int
) -> None:
    size = {"width": wide, "height": 800, "deviceScaleFactor": 1, "mobile": wide < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened(browser, report, tmp_path)
    page = "document.documentElement"
    widths = browser.execute_script(f"return [{page}.scrollWidth, {page}.clientWidth]")
    assert widths[0] == widths[1] <= wide
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser: Any, tmp_path: Path, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    opened(browser, reports.event_loop(), tmp_path)
    color = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert color == {"light": "rgb(251, 251, 250)", "dark": "rgb(20, 23, 26)"}[scheme]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_parts_of_a_request_are_drawn_one_after_the_other(browser: Any, tmp_path: Path) -> None:
    opened(browser, _SERVED, tmp_path)
    drawn = browser.execute_script(
        "return Array.from(document.querySelectorAll('.halves .row'), row => {"
        "  const place = one => one.getBoundingClientRect();"
        "  const parts = Array.from(row.querySelectorAll('rect'), place);"
        "  return [row.querySelector('.name').textContent, parts[0].left, parts.at(-1).right]; })"
    )
    names = [name for name, _, _ in drawn]
    assert names == ["pickup", "service", "queue", "pickup", "service"]
    for (_, _, end), (name, begin, _) in pairwise(drawn):
        if name != "queue":  # it begins the next picture
            assert abs(begin - end) < 1
    assert abs(drawn[1][2] - drawn[4][2]) < 1, "both pictures are as wide"


def test_histograms_are_drawn_with_their_marks(browser: Any, tmp_path: Path) -> None:
    opened(browser, reports.event_loop(), tmp_path)
    drawn = browser.execute_script(
        "return Array.from(document.querySelectorAll('.histogram'), one => {"
        "  const at = name => one.querySelector(name).getBoundingClientRect();"
        "  const shape = at('.shape'), p50 = at('.p50'), p99 = at('.p99');"
        "  return [shape.width, shape.height, p50.left - shape.left, shape.right - p50.left,"
        "          p99.left - p50.left]; })"
    )
    assert len(drawn) == 10 + 5 + 3 + 2
    for width, height, *gaps in drawn:
        assert width > 10
        assert height > 20
        assert min(gaps) >= -1, gaps  # half a line's width


def test_histograms_need_no_script(browser: Any, tmp_path: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    opened(browser, reports.event_loop(), tmp_path)
    root = browser.execute_cdp_cmd("DOM.getDocument", {})["root"]["nodeId"]
    wanted = {"nodeId": root, "selector": ".histogram"}
    shapes = browser.execute_cdp_cmd("DOM.querySelectorAll", wanted)["nodeIds"]
    boxes = [browser.execute_cdp_cmd("DOM.getBoxModel", {"nodeId": shape}) for shape in shapes]
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(boxes) == 10 + 5 + 3 + 2, "of calls, waits, copies; of a loop and of pickup"
    assert min(box["model"]["height"] for box in boxes) > 30


def test_it_prints(browser: Any, tmp_path: Path) -> None:
    opened(browser, reports.event_loop(), tmp_path)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
    assert len(printed["data"]) > 10_000

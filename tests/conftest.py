"""In continuous integration (CI=true) a skipped test of kernel, attacks or browser has failed.

Elsewhere they skip where they cannot run; there a skip would hide that nothing was tried.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from iotrace.errors import IotraceError

_HERE = Path(__file__).parent
_NEVER_SKIPPED = (_HERE / "kernel", _HERE / "attacks", _HERE / "unit/output/test_html_browser.py")


def pytest_configure() -> None:
    """A job in the background, or of nohup, ignores signals, and so would all that tests start."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(
                number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that was skipped, by a mark or while it ran; or that iotrace's own error ended."""
    report = yield
    if call.excinfo and isinstance(call.excinfo.value, IotraceError):
        error = call.excinfo.value
        report.sections.append((error.what, f"{error.why}\n{error.details}"))
    if report.skipped and not hasattr(report, "wasxfail"):
        _fail_in_ci(report, item.path)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file that was skipped while it was imported."""
    report = yield
    if report.skipped:
        _fail_in_ci(report, collector.path)
    return report


def _fail_in_ci(report: pytest.TestReport | pytest.CollectReport, path: Path) -> None:
    if os.environ.get("CI") != "true" or not {path, *path.parents} & set(_NEVER_SKIPPED):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"skipped, which is a failure where CI=true: {reason}"

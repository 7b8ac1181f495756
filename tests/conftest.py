"""In continuous integration (CI=true) a kernel test that is skipped has failed.

Elsewhere the tests in tests/kernel skip where they cannot run; there a skip would hide that
nothing was tried.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

_KERNEL_TESTS = Path(__file__).parent / "kernel"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that was skipped, by a mark or while it ran."""
    report = yield
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
    if os.environ.get("CI") != "true" or _KERNEL_TESTS not in path.parents:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"skipped, which is a failure where CI=true: {reason}"

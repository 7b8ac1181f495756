"""These tests run the real tracer on the real kernel; where that is impossible they skip."""

from __future__ import annotations

import pytest

from tests.kernel.obstacle import obstacle


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """These tests share their CPUs with whatever else runs: each may be tried three times.

    What was tried again is counted in pytest's closing line. The hook gets every item.
    """
    if not config.pluginmanager.hasplugin("rerunfailures"):
        return  # make faults: what fails has failed
    for item in items:
        if "tests/kernel/" in item.nodeid:
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session", autouse=True)
def _a_kernel_that_can_be_traced() -> None:
    reason = obstacle()
    if reason:
        pytest.skip(reason)

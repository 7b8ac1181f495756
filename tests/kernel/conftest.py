"""These tests run the real tracer on the real kernel; where that is impossible they skip."""

from __future__ import annotations

import importlib.util

import pytest

from iotrace.engine.btf import VMLINUX
from iotrace.engine.privileges import missing_capabilities


def _obstacle() -> str | None:
    """Why the probes cannot be attached here."""
    missing = missing_capabilities()
    if missing:
        return f"needs root: {' and '.join(missing)} missing"
    if importlib.util.find_spec("bcc") is None:
        return "needs bcc: this Python cannot import it (python3-bpfcc)"
    if not VMLINUX.exists():
        return f"needs the kernel's types: no {VMLINUX}"
    return None


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
    obstacle = _obstacle()
    if obstacle:
        pytest.skip(obstacle)

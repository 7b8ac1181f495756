"""One trace for all models: each test module's servers perform on the same runner."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from iotrace.demo.runner import Runner


def _quiet(line: str) -> None:
    """No progress."""


@pytest.fixture(scope="package")
def runner(_a_kernel_that_can_be_traced: None) -> Iterator[Runner]:
    """Attached once; servers of all tests here are followed in turn.

    No longer than these tests: its probes would slow all that come after.
    """
    with Runner(_quiet) as one:
        yield one

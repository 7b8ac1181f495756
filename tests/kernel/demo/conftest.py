"""One trace for all models: each test module's servers perform on the same stage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from iotrace.demo.runner import Stage


def _quiet(line: str) -> None:
    """No progress."""


@pytest.fixture(scope="package")
def stage(_a_kernel_that_can_be_traced: None) -> Iterator[Stage]:
    """Attached once; servers of all tests here are followed in turn.

    No longer than these tests: its probes would slow all that come after.
    """
    with Stage(_quiet) as one:
        yield one

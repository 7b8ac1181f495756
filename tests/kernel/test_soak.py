"""A short form of ``python -m tests.soak``."""

from __future__ import annotations

import pytest

from tests.soak.watch import faults, soak


@pytest.mark.thorough
def test_twenty_seconds_at_full_rate() -> None:
    samples = soak(20)
    assert faults(samples) == []
    assert samples[-1].calls > 100_000
    assert samples[-1].threads > 1000
    assert samples[-1].processes > 100

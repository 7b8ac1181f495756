# SPDX-License-Identifier: Apache-2.0
"""Requests that get no answer, because the connection ends: what is said of why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iotrace.report.model import Process
from iotrace.report.times import Durations
from tests.unit.verdict import elsewhere
from tests.unit.verdict.made import MS, findings


def _asks(**parts: Any) -> Process:
    (one,) = elsewhere.cut_off(True)
    (asked,) = one.upstreams
    return replace(one, upstreams=(replace(asked, **parts),))


@pytest.mark.parametrize(
    ("after", "made", "told", "advice"),
    [
        (30, 9, "most likely it closes kept connections that are idle", "keepalive_expiry"),
        (900, 9, "most likely while it had the request", "See the peer's log"),
        (30, 400, "30 ms later on average", "See the peer's log"),  # none is kept
    ],
)
def test_why_most_likely(after: int, made: int, told: str, advice: str) -> None:
    connects = Durations(made, *(MS,) * 5)
    found = findings(_asks(cut_off_ns=9 * after * MS, connect_ns=connects))["IO209"]
    assert "9 of 400 requests to 10.0.0.9:443 (2.2 %)" in found.title
    assert found.title.count("most likely") == told.count("most likely")
    assert told in found.title
    assert advice in found.advice


def test_of_unix_sockets_it_is_not_known_whether_they_are_kept() -> None:
    found = findings(_asks(peer="unix:/run/shop.sock", kind="unix"))["IO209"]
    assert "most likely" not in found.title
    assert "See the peer's log" in found.advice


def test_who_never_answers_is_asked_nothing() -> None:
    """Logs and metrics are sent to it; and of many requests, a few may be lost."""
    for answered, told in ((9, True), (8, False), (0, False), (891, True), (892, False)):
        assert ("IO209" in findings(_asks(calls=answered))) is told

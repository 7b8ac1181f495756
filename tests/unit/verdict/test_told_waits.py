"""What two lines of findings have in common."""

from __future__ import annotations

import pytest

from iotrace.verdict.told_waits import COMPUTES, ToldWait, told_wait


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "app.py:9 report -> recvfrom from 10.0.0.7:443: 12 times, 2.76 s, 232 ms at most",
            ToldWait("app.py:9 report", "recvfrom"),
        ),
        (
            "app.py:9 report -> blocking recvfrom from 10.0.0.7:443: once, 2 s",
            ToldWait("app.py:9 report", "recvfrom"),
        ),
        (
            "app.py:9 report -> futex: 3 times, 2 s, 1 s at most",
            ToldWait("app.py:9 report", "futex"),
        ),
        (
            "app.py:9 report -> computing in _json: 3 times, 2 s, 1 s at most",
            ToldWait("app.py report", COMPUTES),
        ),
        (
            "app.py:12 report: 45 % of its CPU time, about 2 s",
            ToldWait("app.py report", COMPUTES),
        ),
        (
            "app.py:12 report -> ssl.py:713 create: 45 % of its CPU time, about 2 s",
            ToldWait("app.py report", COMPUTES),
        ),
        (
            "app.py:12 report (96 % of it in json): 45 % of its CPU time, about 2 s",
            ToldWait("app.py report", COMPUTES),
        ),
        ("app.py:9 report: 3 asyncio tasks at the end", None),
        ("", None),
    ],
)
def test_a_line_tells_a_place_and_what_is_done_there(line: str, told: ToldWait | None) -> None:
    assert told_wait(line) == told


def test_a_lock_is_what_somebody_else_has() -> None:
    for line, is_for_lock in (
        ("a.py:1 f -> waits for the lock: 3 times", True),
        ("a.py:1 f -> futex: 3 times", True),
        ("a.py:1 f -> fsync: 3 times", False),
    ):
        told = told_wait(line)
        assert told is not None
        assert told.is_for_lock is is_for_lock

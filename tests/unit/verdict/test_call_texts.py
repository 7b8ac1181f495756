"""How calls and their other ends are told."""

from __future__ import annotations

import pytest

from iotrace.verdict.call_texts import call_text, library_text
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.stuck import Stuck, stuck_lines
from tests.unit.verdict.made import S, in_call

PEER = "10.0.0.7:443"


@pytest.mark.parametrize(
    ("syscall", "told"),
    [
        ("recvfrom", "recvfrom from 10.0.0.7:443"),
        ("read", "read from 10.0.0.7:443"),
        ("sendto", "sendto to 10.0.0.7:443"),
        ("write", "write to 10.0.0.7:443"),
        ("connect", "connect to 10.0.0.7:443"),
        ("accept4", "accept4 on 10.0.0.7:443"),
        ("poll", "poll on 10.0.0.7:443"),
        ("flock", "flock on 10.0.0.7:443"),
    ],
)
def test_a_read_is_from_a_peer_and_a_write_to_it(syscall: str, told: str) -> None:
    assert call_text(syscall, PEER) == told


def test_a_call_whose_other_end_is_not_known_stands_alone() -> None:
    assert call_text("read", "") == "read"


@pytest.mark.parametrize(("syscall", "way"), [("read", "from"), ("write", "to")])
def test_a_thread_that_hangs_is_told_in_the_same_words(syscall: str, way: str) -> None:
    call = in_call(syscall, "pipe", "app.py:9 report", fd=2, wait=3 * S)
    (line,) = stuck_lines([Stuck(700, call, Purpose.READER, 3 * S)])
    assert line.text.startswith(
        f"srv/app.py:9 report -> {syscall} {way} a pipe (stderr, descriptor 2): "
    )


def test_a_library_that_sleeps_in_the_programs_name_is_named() -> None:
    stack = ("lib/python3.11/site-packages/urllib3/util/retry.py:363 sleep", "app.py:9 report")
    sleeps = in_call("clock_nanosleep", "", *stack)
    assert library_text(sleeps).startswith(" (in ")
    assert "retry.py:363 sleep" in library_text(sleeps)
    assert library_text(in_call("recvfrom", "tcp", *stack)) == ""
    assert library_text(in_call("clock_nanosleep", "", "app.py:9 report")) == ""

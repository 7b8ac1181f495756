"""IO207: threads that are started again and again, and what of that is no fault."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from tests.unit.verdict.made import MS, PID, S, findings, in_call, line_of, thread
from tests.unit.verdict.made_busy import brief_threads


def _told(one: Process) -> bool:
    return "IO207" in findings(one)


def test_who_starts_them_in_an_event_loop_keeps_it_waiting() -> None:
    found = findings(*brief_threads(True))["IO207"]
    assert found.severity == "low"
    assert "50 a second that live 9 ms each" in found.title
    assert found.lines[0].startswith("srv/app.py:9 expire -> futex")


def test_a_few_threads_or_a_cheap_start_are_no_finding() -> None:
    (one,) = brief_threads(True)
    started, ended = one.threads
    assert _told(one)
    assert not _told(replace(one, threads=(started, replace(ended, count=150))))
    cheap = replace(one.lines[0], wait_ns=50 * MS)
    assert not _told(replace(one, lines=(cheap,)))


def test_a_thread_for_each_connection_is_what_its_server_is_for() -> None:
    (one,) = brief_threads(True)
    serves = in_call(
        "futex", "", "lib/threading.py:962 Thread.start",
        "lib/socketserver.py:697 ThreadingMixIn.process_request", "app.py:30 main",
    )  # fmt: skip
    assert not _told(replace(one, lines=(line_of(serves, 90, 400 * MS, 9 * MS),)))


def test_threads_that_were_there_before_were_not_started() -> None:
    (one,) = brief_threads(True)
    pool = [thread(number, lock=8 * MS) for number in range(PID + 1, PID + 301)]
    assert not _told(replace(one, threads=(one.threads[0], *pool)))
    assert _told(replace(one, threads=(one.threads[0], *[replace(t, started_ns=S) for t in pool])))
